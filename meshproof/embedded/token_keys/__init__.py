"""Keys of RequestAuthentications without their own: fetched, cached, refreshed as by istiod."""
