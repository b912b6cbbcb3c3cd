"""Which models there are, what they take, and whether they fit this machine."""
