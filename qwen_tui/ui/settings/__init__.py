"""The settings panel on the right side of the screen, with one row per setting."""
