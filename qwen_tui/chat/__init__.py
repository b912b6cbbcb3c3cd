"""Conversations as plain values, and the files they are kept in."""
