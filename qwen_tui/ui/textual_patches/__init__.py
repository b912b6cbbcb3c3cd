"""Every private name of Textual that is touched, each for one reason."""
