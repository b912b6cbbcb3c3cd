"""A model that a server holds: any that speaks the OpenAI chat protocol, on this machine or another."""
