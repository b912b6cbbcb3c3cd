"""The screen that chooses a model (F4)."""
