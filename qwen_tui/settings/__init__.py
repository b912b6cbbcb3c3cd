"""The person's settings: their declarations, the config file, and where a value comes from."""
