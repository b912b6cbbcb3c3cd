"""English sentences and errors of the settings, the panel and the config file."""

_FIELDS: dict[str, tuple[str, str]] = {
    "temperature": (
        "Temperature",
        "How random the choice of each token is; 0 always chooses the most likely one.",
    ),
    "top_p": ("Top-p", "Choose among the most likely tokens that together reach this probability. 1: off."),
    "top_k": ("Top-k", "Choose among this many of the most likely tokens. 0: off."),
    "min_p": ("Min-p", "Skip tokens less likely than this share of the most likely one. 0: off."),
    "repetition_penalty": (
        "Repetition penalty",
        "Make tokens that already appeared less likely. 1: off.",
    ),
    "presence_penalty": (
        "Presence penalty",
        "Make tokens that the reply already has less likely, however often. 0: off.",
    ),
    "frequency_penalty": (
        "Frequency penalty",
        "Make tokens less likely the more often the reply has them. 0: off.",
    ),
    "max_new_tokens": ("Max new tokens", "The maximum length of an answer, in tokens, without its thinking."),
    "stop": (
        "Stop strings",
        "End the answer before any of these texts, separated by commas; \\n is a new line.",
    ),
    "seed": ("Seed", "The same seed and prompt give the same reply. Empty: a new seed for each reply."),
    "greedy": ("Greedy", "Always choose the most likely token: the same question gives the same reply."),
    "system_prompt": ("System prompt", "Instructions the model reads before the conversation."),
    "memory": ("Memory", "On: the model sees the conversation so far. Off: only your newest message."),
    "memory_turns": ("Memory in turns", "The model sees at most this many turns. Empty: no limit."),
    "memory_tokens": (
        "Memory in tokens",
        "The model sees at most this many tokens. Empty: the whole context window.",
    ),
    "thinking": ("Thinking", "Let the model think before it replies, if its chat template supports that."),
    "effort": ("Effort", "How much the model thinks, as far as its chat template knows efforts."),
    "thinking_budget": (
        "Thinking budget",
        "End the thinking after this many tokens, so that the answer begins. Empty: whatever the answer leaves.",
    ),
    "model": (
        "Model",
        "guide, a folder, a name on the hub such as Qwen/Qwen2.5-7B-Instruct, or a model on the server.",
    ),
    "quantization": (
        "Quantization",
        "auto, none, 4bit (NF4, about a quarter of the memory) or 8bit.",
    ),
    "dtype": (
        "Dtype",
        "auto (bf16, or fp16 on older GPUs), bf16, fp16 or fp32.",
    ),
    "device": ("Device", "auto, cpu, cuda, or one GPU such as cuda:1."),
    "trust_remote_code": (
        "Trust remote code",
        "Run Python code that comes with a model. Only for sources you trust.",
    ),
    "server": (
        "Server",
        "The address of a server that runs the model, such as http://gpubox:8000. Empty: this machine.",
    ),
    "context_window": (
        "Context window",
        "In tokens, for a server that does not report it.",
    ),
    "idle_unload_minutes": (
        "Idle unload (minutes)",
        "Unload the model after this many idle minutes; the next message reloads it. 0: never.",
    ),
    "quantized_cache_gb": (
        "Quantized cache (GB)",
        "Disk space for quantized weights, which then load faster the next time. 0: no cache.",
    ),
    "save_traces": (
        "Save traces",
        "Record how every token of a reply was chosen, and save it next to the conversation: 0.3 kB a token.",
    ),
    "language": ("Language", "The language of the screen; auto follows the locale."),
    "bell": (
        "Bell",
        "Ring when a reply that took ten seconds ends; auto: only while the terminal is in the background.",
    ),
    "theme": ("Theme", "The colors of the screen."),
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
        "Invalid value",
        "{name} cannot be {value}; it must be {bounds}.",
        "Use a value in that range, or leave it out for the default.",
    ),
    "settings.missing": (
        "Missing value",
        "{name} needs a value.",
        "Reset it to use the default.",
    ),
    "settings.not_a_switch": (
        "Invalid value",
        "{name} cannot be {value}.",
        "Use on or off; in the config file true or false.",
    ),
    "settings.not_text": ("Invalid value", "{name} cannot be {value}.", "Use text in quotes."),
    "settings.not_a_choice": ("Invalid value", "{name} cannot be {value}.", "Choose one of: {choices}."),
    "settings.unknown_key": (
        "Unknown setting",
        "There is no setting called {key}.",
        "Did you mean {close}?",
    ),
    "settings.not_toml": (
        "Cannot read the config file",
        "{path} is not valid TOML: {detail}.",
        "Correct that line. Until then the defaults apply and the file is left unchanged.",
    ),
    "settings.unreadable": (
        "Cannot read the config file",
        "{path} could not be opened: {detail}.",
        "Check the file's permissions. Until then the defaults apply.",
    ),
    "settings.not_saved": (
        "Settings were not saved",
        "{path} could not be written: {detail}.",
        "They apply until you quit. Check the folder's permissions and free space.",
    ),
}
