"""The right side of the screen: the settings, a row for each."""
