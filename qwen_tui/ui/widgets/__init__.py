"""Small widgets shared by all parts of the screen."""
