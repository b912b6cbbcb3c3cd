"""English sentences and errors of the command line."""

SENTENCES: dict[str, str] = {
    "cli.description": (
        "Chat with Qwen and other chat models that run on this machine, in a full-screen terminal.\n\n"
        "Without --model, uses the model from the config file; if none is set, the one used last; otherwise the\n"
        "newest known one that is downloaded and fits on a GPU, or the small built-in guide model. Nothing is\n"
        "downloaded unless you name it."
    ),
    "cli.examples": (
        "examples:\n"
        "  qwen-tui                                        start with the default model\n"
        "  qwen-tui --model Qwen/Qwen2.5-7B-Instruct       use a model from the hub or its cache\n"
        "  qwen-tui --model ~/models/mine --quantization 4bit\n"
        "  qwen-tui --conversation 广州                    open this conversation, or create it\n"
        "  qwen-tui --last                                 continue the last conversation\n"
        "  qwen-tui --plain                                chat line by line, for screen readers and pipes\n"
        '  qwen-tui ask "What is a token?"                 print one reply to standard output\n'
        "  qwen-tui models                                 list models and whether they fit\n"
        "  qwen-tui doctor                                 check this machine; the report is safe to share\n"
        "  qwen-tui export 广州 --output 广州.md           save a conversation; import loads it again\n\n"
        "In the program, the bottom line shows the keys."
    ),
    "cli.usage_error": "{prog}: {message}. Try {prog} --help.",
    "cli.argparse.usage": "usage: ",
    "cli.argparse.positionals": "positional arguments",
    "cli.argparse.options": "options",
    "cli.argparse.help": "show this help message and exit",
    "cli.argparse.argument": "argument %(argument_name)s: %(message)s",
    "cli.argparse.unrecognized": "unrecognized arguments: %s",
    "cli.argparse.not_allowed": "not allowed with argument %s",
    "cli.argparse.ignored_value": "ignored explicit argument %r",
    "cli.argparse.required": "the following arguments are required: %s",
    "cli.argparse.one_required": "one of the arguments %s is required",
    "cli.argparse.expected_one": "expected one argument",
    "cli.argparse.expected_some": "expected at least one argument",
    "cli.argparse.choice": "invalid choice: %(value)r (choose from %(choices)s)",
    "cli.version": "show the version and exit",
    "cli.unknown": "unrecognized arguments: {words}",
    "cli.commands": "commands",
    "cli.conversation": "open the conversation with this name, or create it",
    "cli.last": "open the most recently used conversation",
    "cli.plain": "chat line by line, without the screen: for screen readers, simple terminals and pipes",
    "cli.model": "guide (the small built-in model), a model folder, or a name on the hub",
    "cli.offline": "send no requests to the hub; use only models on this machine",
    "cli.server": "use a model on this server: vLLM, SGLang, llama.cpp, Ollama, transformers serve",
    "cli.quantization": "quantize the weights; 4bit needs about a quarter of the memory (default: auto)",
    "cli.dtype": "compute in bf16, fp16 or fp32 (default: auto, what the device computes fast)",
    "cli.device": "where the model runs (default: auto, the GPU if there is one)",
    "cli.system": "system prompt for this run",
    "cli.data_dir": "store conversations and the log in this folder",
    "cli.language": "language of the program: en, zh, or auto for the locale's language",
    "cli.config": "use this config file",
    "cli.trust_remote_code": "run Python code that comes with a model; only for sources you trust",
    "cli.ask": "print one reply to standard output, without the screen",
    "cli.ask_description": (
        "Ask once and print the reply as it is generated; standard output contains nothing else.\n"
        "Exit status: 0 answered, 1 failed, 2 invalid usage, 130 stopped."
    ),
    "cli.ask_examples": (
        "examples:\n"
        '  qwen-tui ask "What is a token?"\n'
        '  cat news.txt | qwen-tui ask "What is this about?" - --temperature 0\n'
        "  qwen-tui ask --model Qwen/Qwen2.5-7B-Instruct --quantization 4bit < prompt.txt"
    ),
    "cli.ask_text": "the message; - or no TEXT reads standard input",
    "cli.ask_values": "settings for this reply (default: those of the config file)",
    "cli.ask_json": "print one JSON object with the text and its receipt",
    "cli.status": "Exit status: 0 done, 1 failed, 2 invalid usage.",
    "cli.dashes": "If a name starts with a dash, put -- before it: qwen-tui {command} -- -name",
    "cli.name": "name of the conversation",
    "cli.as_json": "print JSON",
    "cli.list": "list conversations, most recently used first",
    "cli.list_trash": "list the conversations in the trash instead",
    "cli.list.none": "no conversations yet",
    "cli.list.no_trash": "the trash is empty",
    "cli.show": "print a conversation as plain text",
    "cli.search": "find conversations that contain all of the words; exit status 1 if there are none",
    "cli.search_words": "words in the name or the messages",
    "cli.search.none": "no conversation contains all of these words",
    "cli.export": "print a conversation, or write it to a file",
    "cli.export_format": (
        "markdown for reading, json for all branches and settings, openai for a message list; "
        "default: from the extension of FILE (.md, .json, .openai.json), otherwise markdown"
    ),
    "cli.export_output": "write to this file; an existing file is not overwritten",
    "cli.export_force": "overwrite an existing file",
    "cli.import": "import conversations: qwen-tui JSON, OpenAI message lists (JSON, JSONL), ChatGPT exports",
    "cli.import_files": "a file, or the zip archive of a ChatGPT export; - reads standard input",
    "cli.stdin": "standard input",
    "cli.rename": "rename a conversation, and print its new name",
    "cli.new_name": "the new name; a number is added if it is taken",
    "cli.no_name": "the name has no visible characters",
    "cli.delete": "move a conversation to the trash, where it stays for thirty days",
    "cli.deleted": "moved “{name}” to the trash; qwen-tui restore brings it back",
    "cli.restore": "restore a conversation from the trash, and print its name",
}

ERRORS: dict[str, tuple[str, str, str]] = {
    "cli.no_tty": (
        "Not a terminal",
        "The screen needs a terminal, but standard input or output is not one.",
        "Use qwen-tui --plain to chat line by line, or qwen-tui ask for one reply.",
    ),
    "cli.dumb_terminal": (
        "A terminal without a screen",
        "This terminal cannot move the cursor (TERM=dumb), which the screen needs.",
        "Use qwen-tui --plain to chat line by line.",
    ),
    "cli.nothing_to_ask": (
        "Empty message",
        "The message is empty.",
        "Pass it as an argument, as in qwen-tui ask TEXT, or on standard input.",
    ),
    "cli.not_found": (
        "Conversation not found",
        "There is no conversation “{name}”.",
        "List the conversations with qwen-tui list, the trash with qwen-tui list --trash.",
    ),
    "cli.not_found_but": (
        "Conversation not found",
        "There is no conversation “{name}”.",
        "Did you mean {close}?",
    ),
    "cli.not_printed": (
        "Cannot write the output",
        "Standard output could not be written: {detail}.",
        "Free some disk space, or write somewhere else.",
    ),
    "cli.not_read": (
        "Cannot read the input",
        "Standard input could not be read: {detail}.",
        "Remove the -, or redirect a file or a pipe to standard input.",
    ),
    "cli.not_text": (
        "Not text",
        "Standard input is not UTF-8 text.",
        "Convert it first, for example with iconv.",
    ),
}
