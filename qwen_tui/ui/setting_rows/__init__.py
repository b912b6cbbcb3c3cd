"""The rows of the settings pane: where a value stands, how it is worded, and how each kind is changed."""
