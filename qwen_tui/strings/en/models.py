"""English sentences and errors of choosing a model."""

SENTENCES: dict[str, str] = {
    "cli.models": "list models and whether they fit this machine",
    "cli.models_description": (
        "List the models on this machine and the known ones, with the context that fits in each format.\n"
        "Downloads nothing, and sends a request only to the server, if one is set.\n"
        "Only --lint fetches the tokenizer of a model that is not on this machine, and does not keep it.\n"
        "Exit status: 0, or 1 if there is no such --device."
    ),
    "cli.models_examples": (
        "examples:\n  qwen-tui models\n  qwen-tui models --device cuda:1\n  qwen-tui models --json\n"
        "  qwen-tui models --lint Qwen/Qwen3-4B\n  qwen-tui models --delete Qwen/Qwen3-4B\n"
        "  qwen-tui models --clear"
    ),
    "cli.models_json": "print one JSON object: the devices, and each model with its figures",
    "cli.models_lint": (
        "print what the model's chat template and tokenizer do, without loading its weights; exit status 1 if it"
        " cannot be used for chat"
    ),
    "cli.models_clear": "remove cached quantized weights; the models themselves stay",
    "cli.models_delete": "delete a model from the Hugging Face cache, after asking",
    "cli.models_yes": "with --delete: do not ask",
    "models.delete_question": "Delete {name} ({size}) from {path}? [y/N] ",
    "models.kept": "Cached quantized weights: {size} ({names}). Remove them with: qwen-tui models --clear",
    "models.cleared": "Removed {size} of cached quantized weights from {path}",
    "models.devices": "Free memory",
    "models.device": "{name}  {label}  {free} of {total}",
    "models.group.here": "On this machine",
    "models.group.served": "On {host}",
    "models.on_server": "served at {server}",
    "models.served": "Runs on the server; nothing is loaded on this machine.",
    "models.served.nameless": "The server does not list its models: name one with --server and --model.",
    "models.asking_server": "Asking {host}…",
    "models.group.known": "Available to download",
    "models.column.model": "Model",
    "models.column.size": "Disk",
    "models.column.dtype": "Dtype",
    "models.column.context": "Window",
    "models.form.none": "bf16",
    "models.form.8bit": "8bit",
    "models.form.4bit": "4bit",
    "models.download": "↓ {size}",
    "models.quantized": "quantized",
    "models.does_not_fit": "–",
    "models.on_several": "{tokens} ×{count}",
    "models.group.named": "By name",
    "models.form.auto": "auto",
    "models.title": "Models",
    "models.keys": "{load} load · {name} by name · {previous} {next} format · {delete} delete · {close} close",
    "models.key.load": "Load",
    "models.key.back": "Stop or close",
    "models.key.close": "Close",
    "models.key.previous_form": "Previous format",
    "models.key.next_form": "Next format",
    "models.key.delete": "Delete",
    "models.confirm_delete": "Press {key} again to delete {name} ({size}) from {path}.",
    "models.deleting": "Deleting…",
    "models.deleted": "Deleted. {size} freed.",
    "models.key.name": "By name",
    "models.by_name": "{key}  Model name on the hub, folder, or server address",
    "models.searching": "Looking for models on this machine…",
    "models.asking": "Asking the hub…",
    "models.parameters": "{count} parameters",
    "models.window": "context window {tokens:,}",
    "models.here": "{size} on this machine",
    "models.used.today": "used today",
    "models.used.days": "used {count} {count:day|days} ago",
    "models.not_here": "not downloaded ({size})",
    "models.size_unknown": "Size unknown until downloaded.",
    "models.fits": "Fits on {devices} with {tokens:,} tokens of context.",
    "models.confirm": "Press {key} again to download {size} and load it.",
    "models.confirm_unknown": "Press {key} again to download what is missing and load it.",
    "models.confirm_in_vain": (
        "{problem} in this format. Press {key} again to check; it is downloaded only if it fits."
    ),
    "models.legend": (
        "bf16, 8bit, 4bit: tokens of context that fit next to the weights; – if the model does not fit,\n"
        "×2 if it needs two GPUs. Load one with: qwen-tui --model MODEL [--quantization 4bit]"
    ),
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "models.delete_guide": (
        "The guide stays",
        "The guide is part of the program.",
        "Choose a model in the Hugging Face cache.",
    ),
    "models.nothing_to_delete": (
        "Nothing to delete",
        "{name} is not on this machine.",
        "qwen-tui models lists what is.",
    ),
    "models.own_folder": (
        "Not in the Hugging Face cache",
        "Only models in the Hugging Face cache are deleted here, because they can be downloaded again.",
        "Delete this folder yourself if you no longer need it: {path}",
    ),
    "models.in_use": (
        "In use",
        "{name} is in use.",
        "Load another model first.",
    ),
    "models.being_downloaded": (
        "Being downloaded",
        "A program is downloading {name} right now.",
        "Stop it, or try again when it has finished.",
    ),
    "models.not_deleted": (
        "Not everything was deleted",
        "{path} could not be removed: {detail}.",
        "Check the permissions of the folder, then try again.",
    ),
    "models.not_confirmed": (
        "Not deleted",
        "Nobody can be asked here.",
        "Add --yes to delete {name} without asking.",
    ),
    "models.not_cleared": (
        "Not everything was removed",
        "{size} remain in {path}: another program is writing there, or its files cannot be removed.",
        "Try again later, or check the folder's permissions.",
    ),
}
