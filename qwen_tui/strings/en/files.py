"""English sentences and errors of reading and writing files from the screen, and of replaying a reply."""

SENTENCES: dict[str, str] = {
    "files.keys": "{take} takes it · → completes · {cancel} cancels",
    "files.cancel": "cancel",
    "files.take": "take it",
    "files.save_code": "Save the code block to",
    "files.export": "Export “{name}” to",
    "files.export.note": (
        ".md to read what is shown · .json for everything, with all variants and receipts · "
        ".openai.json for a message list that other programs take"
    ),
    "files.export.ending": "{name} ends in none of .md, .json and .openai.json, which tell the format.",
    "files.import": "Import conversations from",
    "files.import.note": (
        "JSON of qwen-tui, OpenAI message lists (JSON or JSONL), or a ChatGPT export "
        "(conversations.json, or the zip archive)"
    ),
    "files.importing": "Importing from {path}…",
    "files.imported.one": "Imported “{name}”.",
    "files.imported": "Imported {count:,} conversations; this is “{name}”.",
    "files.nothing_to_export": "There is nothing to export yet.",
    "files.overwrite": "{name} already exists. Press {key} again to overwrite it.",
    "files.is_folder": "{path} is a folder; add a file name.",
    "files.no_folder": "There is no folder {path}.",
    "files.not_there": "There is no file {path}.",
    "files.no_name": "{path} is not a name a file can have.",
    "files.written": "Written to {path}.",
    "replay.waiting": "It is replayed as soon as the model is free.",
    "replay.running": "Replaying: {done:,} of {total:,} tokens.",
    "replay.stopping": "{close} closes this, and then {stop} stops it.",
    "replay.same": "The same tokens, all {count:,} of them.",
    "replay.same_so_far": "Stopped after {count:,} of {total:,} tokens; the same so far.",
    "replay.differs": "It first differs at token {number:,} of {total:,}: now {became}, in the reply {was}.",
    "replay.reused": "The reply had {reused:,} tokens of its prompt from the cache. A replay reads them again, "
    "which rounds numbers otherwise, and a close choice can then go the other way.",
    "replay.quoted": "“{text}”",
    "replay.end": "the end",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "files.not_written": (
        "The file was not written",
        "{path} could not be written: {detail}.",
        "Choose another name or folder.",
    ),
}
