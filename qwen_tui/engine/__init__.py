"""Anything that can answer: the contract, and the engines behind it."""
