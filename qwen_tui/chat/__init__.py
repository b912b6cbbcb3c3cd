"""Conversations as plain values, and the files they are stored in."""
