"""Chinese sentences and errors of the composer, the header, the help and the terminal."""

SENTENCES: dict[str, str] = {
    "sentences.title": "{title}。{rest}",
    "sentences.between": "",
    "list.between": "、",
}

ERRORS: dict[str, tuple[str, str, str]] = {}
