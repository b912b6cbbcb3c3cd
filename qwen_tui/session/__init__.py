"""One conversation and its turns, from a question to the saved reply; nothing here knows a screen."""
