"""The middle of the screen, where a conversation is read."""
