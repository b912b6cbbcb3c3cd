"""From a name to a model in memory: chosen, downloaded, checked, placed, read."""
