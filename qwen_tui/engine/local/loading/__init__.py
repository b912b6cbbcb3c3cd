"""Loading: from a name to a model in memory, by choosing, downloading, checking, placing and reading it."""
