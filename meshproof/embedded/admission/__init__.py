"""What the embedded mesh alone refuses, warns of and does without."""
