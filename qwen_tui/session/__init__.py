"""A conversation and its turns, from a message to the saved reply; independent of the screen."""
