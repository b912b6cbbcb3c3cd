"""The screen for choosing a model (F4)."""
