"""English sentences and errors of choosing a model."""

SENTENCES: dict[str, str] = {
    "cli.models": "which models there are, and whether they fit this machine",
    "cli.models_description": (
        "List the models on this machine and the known ones, with the context that fits in each form.\n"
        "Nothing is downloaded, no request is made. Exit status: 0, or 1 when --device names none of this machine."
    ),
    "cli.models_examples": (
        "examples:\n  qwen-tui models\n  qwen-tui models --device cuda:1\n  qwen-tui models --json\n"
        "  qwen-tui models --clear"
    ),
    "cli.models_json": "print one JSON object: the devices, and each model with its figures",
    "cli.models_clear": "remove the weights that were quantized once and kept; the models themselves stay",
    "models.kept": "Quantized weights on the disk: {size} ({names}). Remove them with: qwen-tui models --clear",
    "models.cleared": "{size} of quantized weights removed from {path}",
    "models.devices": "Free memory",
    "models.device": "{name}  {label}  {free} of {total}",
    "models.group.here": "On this machine",
    "models.group.served": "On {host}",
    "models.on_server": "served at {server}",
    "models.served": "It runs there: nothing is loaded on this machine.",
    "models.served.nameless": "This server does not tell its models: name one with --server and --model.",
    "models.asking_server": "Asking {host} …",
    "models.group.known": "Known, to be downloaded",
    "models.column.model": "model",
    "models.column.size": "disk",
    "models.column.dtype": "file",
    "models.column.context": "window",
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
    "models.keys": "{load} loads · {name} by name · {previous} {next} form · {close} closes",
    "models.key.load": "load",
    "models.key.back": "stop or close",
    "models.key.close": "close",
    "models.key.previous_form": "Previous form",
    "models.key.next_form": "Next form",
    "models.key.name": "by name",
    "models.by_name": "{key}  any name on the hub, a folder, or a server's address",
    "models.searching": "Looking at what there is on this machine …",
    "models.asking": "Asking the hub …",
    "models.parameters": "{count} parameters",
    "models.window": "context window {tokens:,}",
    "models.here": "{size} on this machine",
    "models.used.today": "used today",
    "models.used.days": "used {count} days ago",
    "models.not_here": "not here, {size} to download",
    "models.size_unknown": "What it takes is known once its files are here.",
    "models.fits": "It fits on {devices}, with {tokens:,} tokens of context.",
    "models.confirm": "Press {key} again to download {size} and load it.",
    "models.confirm_unknown": "Press {key} again to download what is missing from the hub, and load it.",
    "models.confirm_in_vain": (
        "{problem} in this format. Press {key} again to check, and download only if it fits."
    ),
    "models.legend": (
        "Under bf16, 8bit and 4bit: the tokens of context that fit beside the weights, – when the model does\n"
        "not fit, ×2 when it takes two GPUs. Load one with: qwen-tui --model MODEL [--quantization 4bit]"
    ),
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "models.not_cleared": (
        "Not all of it is removed",
        "{size} are left in {path}: another program writes there now, or its files may not be removed.",
        "Try again when it is done, or check the folder's permissions.",
    ),
}
