"""The left side of the screen: the saved conversations."""
