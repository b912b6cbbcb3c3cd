"""The receipt of a reply, and replaying it."""
