"""Engines that answer messages, on this machine or on a server, behind one contract."""
