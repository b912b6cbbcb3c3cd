"""English sentences and errors of the command line."""

SENTENCES: dict[str, str] = {
    "cli.description": (
        "Chat with Qwen and other chat models on this machine, in a full screen terminal.\n\n"
        "Without --model it runs the model of the config file; without one there, Qwen2.5-7B-Instruct\n"
        "if this machine already has it and can hold it, else a tiny guide model that comes with the\n"
        "program. Nothing is downloaded unless you ask for it by name."
    ),
    "cli.examples": (
        "examples:\n"
        "  qwen-tui                                        start, offline, with what is here\n"
        "  qwen-tui --model Qwen/Qwen2.5-7B-Instruct       a model from the hub or its cache\n"
        "  qwen-tui --model ~/models/mine --quantization 4bit\n"
        "  qwen-tui --conversation 广州                    open that conversation, or begin it\n"
        '  qwen-tui ask "What is a token?"                 one reply on the standard output\n\n'
        "In the program: F1 shows the keys, ctrl+q leaves."
    ),
    "cli.see_help": "Try {prog} --help.",
    "cli.commands": "commands",
    "cli.conversation": "open the conversation of this name, or begin one",
    "cli.model": "guide (the built-in tiny model), a folder with a model, or a name on the hub",
    "cli.quantization": "how weights are held: 4bit takes about a quarter of the memory (default: auto)",
    "cli.device": "where the model runs (default: auto, the GPU if there is one)",
    "cli.system": "the system prompt of this run",
    "cli.data_dir": "keep conversations and the log in this folder",
    "cli.config": "read and write settings in this file",
    "cli.trust_remote_code": "run Python code that comes with a model; only for sources you trust",
    "cli.ask": "one reply on the standard output, without the screen",
    "cli.ask_description": (
        "Ask once and print the reply as it is generated; nothing else goes to the standard output.\n"
        "Exit status: 0 answered, 1 failed, 2 bad usage, 130 stopped."
    ),
    "cli.ask_examples": (
        "examples:\n"
        '  qwen-tui ask "What is a token?"\n'
        "  cat news.txt | qwen-tui ask - --json\n"
        "  qwen-tui ask --model Qwen/Qwen2.5-7B-Instruct --quantization 4bit < prompt.txt"
    ),
    "cli.ask_text": "the message; - or nothing reads it from the standard input",
    "cli.ask_json": "print one JSON object: the text with its receipt",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "cli.no_tty": (
        "No terminal",
        "The screen needs a terminal, and standard input or output is not one.",
        "Start qwen-tui in a terminal, or use qwen-tui ask.",
    ),
    "cli.nothing_to_ask": (
        "Nothing to ask",
        "The message is empty.",
        "Give it as an argument or on the standard input: qwen-tui ask TEXT.",
    ),
    "cli.not_text": (
        "Not text",
        "The standard input is not UTF-8 text.",
        "Convert it first, for example with iconv.",
    ),
}
