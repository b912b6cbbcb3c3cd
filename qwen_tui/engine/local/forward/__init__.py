"""The forward pass of the model itself: a prompt read through it, and other attention checked against it."""
