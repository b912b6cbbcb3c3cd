"""All uses of private names of Textual, one reason per module."""
