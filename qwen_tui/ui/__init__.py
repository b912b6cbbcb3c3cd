"""The Textual user interface; the only package, apart from `commands`, that imports Textual."""
