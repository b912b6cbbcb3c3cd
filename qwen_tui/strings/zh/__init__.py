"""中文: one file per area, each with `SENTENCES` and `ERRORS` by code. An error is (title, sentence, hint)."""

NAME = "中文"
LETTERS = "[\u4e00-\u9fff]"
