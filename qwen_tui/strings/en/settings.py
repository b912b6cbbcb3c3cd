"""English sentences and errors of the settings, the pane and the config file."""

_FIELDS: dict[str, tuple[str, str]] = {
    "temperature": (
        "Temperature",
        "How far the choice of each token strays from the likeliest; 0 always takes it.",
    ),
    "top_p": ("Top-p", "Choose among the likeliest tokens that together reach this probability; 1 is off."),
    "top_k": ("Top-k", "Choose among this many of the likeliest tokens; 0 is off."),
    "min_p": ("Min-p", "Leave out tokens less likely than this share of the likeliest one; 0 is off."),
    "repetition_penalty": (
        "Repetition penalty",
        "Makes tokens that have appeared before less likely; 1 is off.",
    ),
    "max_new_tokens": ("Max new tokens", "The longest reply, in tokens."),
    "seed": ("Seed", "The same seed gives the same reply; empty draws a new one for each reply."),
    "greedy": ("Greedy", "Always take the likeliest token: no chance, same question, same answer."),
    "system_prompt": ("System prompt", "What the model is told before the conversation begins."),
    "memory": ("Memory", "On: the model sees the conversation so far. Off: only your newest message."),
    "memory_turns": ("Memory in turns", "The model sees at most this many turns; empty is no limit."),
    "memory_tokens": (
        "Memory in tokens",
        "The model sees at most this many tokens; empty is the whole window.",
    ),
    "thinking": ("Thinking", "Let the model think before it answers, where its template offers that."),
    "model": (
        "Model",
        "guide, a folder, a name on the hub such as Qwen/Qwen2.5-7B-Instruct, or one that the server has.",
    ),
    "quantization": (
        "Quantization",
        "auto, none, 4bit (nf4, about a quarter of the memory) or 8bit; a server has its own.",
    ),
    "device": ("Device", "auto, cpu, cuda, or one card such as cuda:1; a server has its own."),
    "trust_remote_code": (
        "Trust remote code",
        "Run Python code that comes with a model. Only for sources you trust.",
    ),
    "server": (
        "Server",
        "The address of a server that has the model, such as http://gpubox:8000; empty runs it here.",
    ),
    "context_window": (
        "Context window",
        "In tokens: for a server that does not tell how many its model can see.",
    ),
    "idle_unload_minutes": (
        "Idle unload (minutes)",
        "Unload the model when nothing was asked for so long; the next message loads it again. 0 is never.",
    ),
    "quantized_cache_gb": (
        "Quantized on disk (GB)",
        "What weights quantized once may take on the disk, to be read quickly the next time; 0 keeps none.",
    ),
    "language": ("Language", "The language of the screen; auto follows the locale."),
    "theme": ("Theme", "The colours of the screen."),
}

SENTENCES: dict[str, str] = {
    **{f"settings.{name}.label": label for name, (label, _) in _FIELDS.items()},
    **{f"settings.{name}.help": text for name, (_, text) in _FIELDS.items()},
    "settings.a_number": "a number",
    "settings.an_integer": "a whole number",
    "settings.bounds.from": "{kind} from {low}",
    "settings.bounds.above": "{kind} above {low}",
    "settings.bounds.from_to": "{kind} from {low} to {high}",
    "settings.bounds.above_to": "{kind} above {low}, at most {high}",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "settings.out_of_range": (
        "Not a usable value",
        "{name} cannot be {value}: it takes {bounds}.",
        "Give a value in that range, or none at all for the default.",
    ),
    "settings.missing": (
        "A value is missing",
        "{name} needs a value.",
        "Reset it to go back to the default.",
    ),
    "settings.not_a_switch": ("Not a usable value", "{name} cannot be {value}.", "It is either on or off."),
    "settings.not_text": ("Not a usable value", "{name} cannot be {value}.", "It takes text, in quotes."),
    "settings.not_a_choice": ("Not a usable value", "{name} cannot be {value}.", "Choose one of: {choices}."),
    "settings.unknown_key": (
        "Unknown setting",
        "There is no setting called {key}.",
        "The closest name is {close}; the README lists them all.",
    ),
    "settings.not_toml": (
        "The config file cannot be read",
        "{path} is not TOML: {detail}.",
        "Mend that line; until then the defaults are used and the file is left as it is.",
    ),
    "settings.unreadable": (
        "The config file cannot be read",
        "{path} could not be opened: {detail}.",
        "Check the file's permissions; until then the defaults are used.",
    ),
    "settings.not_saved": (
        "Settings were not saved",
        "{path} could not be written: {detail}.",
        "They hold until you quit; check the folder's permissions and free space.",
    ),
}
