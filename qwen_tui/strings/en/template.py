"""English sentences and errors of what a model's chat template and tokenizer do."""

SENTENCES: dict[str, str] = {
    "engine.template.refuses": (
        "Its chat template rejects even a single message ({detail}); the model cannot be used for chat."
    ),
    "engine.template.loses_user": (
        "Its chat template leaves out what you write, so the model does not see your messages."
    ),
    "engine.template.loses_assistant": (
        "Its chat template leaves out earlier replies, so the model does not see its own answers."
    ),
    "lint.tokenizer": "The tokenizer encodes as tokenizer.json says.",
    "lint.unlike_file": (
        "The library's class {name} encodes differently from tokenizer.json, so the file is used as it is."
    ),
    "lint.base": "There is no chat template: this is a base model, which continues plain text.",
    "lint.refuses": "The chat template rejects even a single message: {detail}.",
    "lint.template": "The chat template renders a conversation.",
    "lint.named": "Of several chat templates, the one named {name} is used.",
    "lint.loses_user": "The template leaves out what you write.",
    "lint.loses_assistant": "The template leaves out earlier replies.",
    "lint.parts": "The template reads messages as lists of parts, and gets them so.",
    "lint.system": "A system prompt is part of the prompt.",
    "lint.no_system": "The template has no place for a system prompt; it is put before the first message.",
    "lint.headers": 'Your messages begin with "{user}", replies with "{assistant}".',
    "lint.no_headers": "Nothing marks who is speaking.",
    "lint.end": 'A reply ends with "{token}".',
    "lint.no_end": "No token follows a reply; only the model's own list of end tokens ends it.",
    "lint.adds": 'The template adds text of its own: "{text}".',
    "lint.adds_date": (
        "The template adds text of its own with today's date, so older conversations are read again each day:"
        ' "{text}".'
    ),
    "lint.adds_nothing": "The template adds no text of its own.",
    "lint.no_marks": "Nothing marks a thought; <think> at the beginning of a reply is recognized.",
    "lint.marks": 'A thought begins with "{open}" and ends with "{close}".',
    "lint.channels": (
        'Every part of a reply has a label: "{open}" before a thought, and "{close}" between it and the answer.'
    ),
    "lint.switch": "Thinking can be turned on and off ({name}).",
    "lint.always_thinks": "The model always thinks; the template has no way to turn that off.",
    "lint.efforts": "Efforts that change the prompt ({name}): {efforts}.",
    "lint.keeps_thoughts": "Thoughts of earlier turns stay in the prompt.",
    "lint.drops_thoughts": "Thoughts of earlier turns are left out of the prompt.",
    "lint.extends": "Each prompt continues the one before it, so only new text is read.",
    "lint.rewrites": "The template changes earlier turns, so part of the prompt is read again in each turn.",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "engine.unknown_end_token": (
        "Unknown end token",
        "{file} names {token} as {key}, but the tokenizer has no such token.",
        "Correct {key} in {file}, or download the model again.",
    ),
}
