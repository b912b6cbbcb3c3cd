"""The person's settings: what there is to set, the config file, and where a value comes from."""
