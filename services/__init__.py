"""The suite: what runs in the mesh (svca, svcb) and what stands outside of it (msgd)."""
