"""The help (F1): every key that is in force."""
