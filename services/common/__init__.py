"""What the three services share; each module is one idea."""
