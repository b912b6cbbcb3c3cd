"""Import, export, and saving code blocks, with the dialog that asks for a file."""
