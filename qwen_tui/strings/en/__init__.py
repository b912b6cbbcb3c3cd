"""English: one file per area, each with `SENTENCES` and `ERRORS` by code. An error is (title, sentence, hint)."""

NAME = "English"
LETTERS = ""
