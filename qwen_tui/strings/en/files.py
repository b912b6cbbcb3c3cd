"""English sentences and errors of reading and writing files from the screen, and of replaying a reply."""

SENTENCES: dict[str, str] = {
    "files.keys.save": "{take} save · → complete · {cancel} cancel",
    "files.keys.open": "{take} open · → complete · {cancel} cancel",
    "files.cancel": "Cancel",
    "files.take": "Confirm",
    "files.save_code": "Save the code block to",
    "files.export": "Export “{name}” to",
    "files.export.note": (
        ".md to read · .json for everything, with all variants and receipts · "
        ".openai.json for a message list that other programs accept"
    ),
    "files.export.ending": "{name} must end in .md, .json or .openai.json; the extension selects the format.",
    "files.import": "Import conversations from",
    "files.import.note": (
        "qwen-tui JSON, OpenAI message lists (JSON or JSONL), or a ChatGPT export "
        "(conversations.json or the zip archive)"
    ),
    "files.importing": "Importing {path}…",
    "files.imported.one": "Imported “{name}”.",
    "files.imported": "Imported {count:,} conversations; showing “{name}”.",
    "files.nothing_to_export": "Nothing to export yet.",
    "files.overwrite": "{name} already exists. Press {key} again to overwrite it.",
    "files.is_folder": "{path} is a folder; add a file name.",
    "files.no_folder": "Folder not found: {path}",
    "files.not_there": "File not found: {path}",
    "files.no_name": "Not a valid file name: {path}",
    "files.written": "Saved to {path}.",
    "replay.waiting": "Waiting for the model…",
    "replay.running": "Replaying: {done:,} of {total:,} tokens.",
    "replay.stopping": "To stop the replay, press {close} to close the receipt, then {stop}.",
    "replay.same": "Identical: {count:,} of {count:,} tokens match.",
    "replay.same_so_far": "Stopped. Identical so far: {count:,} of {total:,} tokens match.",
    "replay.differs": "First difference at token {number:,} of {total:,}: {was} in the reply, {became} now.",
    "replay.reused": (
        "{reused:,} prompt {reused:token|tokens} came from the cache then and {reused:was|were} recomputed now; "
        "rounding can tip a close choice."
    ),
    "replay.quoted": "“{text}”",
    "replay.end": "the end",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "files.not_written": (
        "The file was not saved",
        "{path} could not be written: {detail}.",
        "Choose another name or folder.",
    ),
}
