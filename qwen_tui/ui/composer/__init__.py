"""The middle of the screen, where a message is written."""
