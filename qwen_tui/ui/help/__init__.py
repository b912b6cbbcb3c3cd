"""The help (F1): all active keys."""
