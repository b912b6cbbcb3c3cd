"""The middle of the screen: one conversation being talked in, going to another one, and what is said of turns."""
