"""Values in words, for the screen and the command line alike."""
