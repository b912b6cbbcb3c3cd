"""Format values as text, for the screen and the command line."""
