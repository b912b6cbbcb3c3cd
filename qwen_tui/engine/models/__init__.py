"""Available models, the memory they need, and whether they fit on this machine."""
