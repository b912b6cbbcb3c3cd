"""A model on a server that speaks the OpenAI chat protocol, on this machine or another."""
