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
        "  qwen-tui --last                                 go on where you were\n"
        '  qwen-tui ask "What is a token?"                 one reply on the standard output\n'
        "  qwen-tui models                                 what there is to choose from, and what fits\n"
        "  qwen-tui doctor                                 what works on this machine, as a text to paste\n"
        "  qwen-tui export 广州 --output 广州.md           a conversation as a file; import takes them in\n\n"
        "In the program, the last line of the screen names the keys."
    ),
    "cli.see_help": "Try {prog} --help.",
    "cli.unknown": "unrecognized arguments: {words}",
    "cli.commands": "commands",
    "cli.conversation": "open the conversation of this name, or begin one",
    "cli.last": "open the conversation that was used last",
    "cli.model": "guide (the built-in tiny model), a folder with a model, or a name on the hub",
    "cli.offline": "make no request to the hub: only models that are on this machine",
    "cli.server": "use a model that this server has: vLLM, SGLang, llama.cpp, Ollama, transformers serve",
    "cli.quantization": "how weights are held: 4bit takes about a quarter of the memory (default: auto)",
    "cli.device": "where the model runs (default: auto, the GPU if there is one)",
    "cli.system": "the system prompt of this run",
    "cli.data_dir": "keep conversations and the log in this folder",
    "cli.language": "the language of the program: auto (by the locale), en or zh",
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
        '  cat news.txt | qwen-tui ask "What is this about?" - --temperature 0\n'
        "  qwen-tui ask --model Qwen/Qwen2.5-7B-Instruct --quantization 4bit < prompt.txt"
    ),
    "cli.ask_text": "the message; - is what the standard input has, as is no TEXT at all",
    "cli.ask_values": "values for this reply; without them those of the config file hold",
    "cli.ask_json": "print one JSON object: the text with its receipt",
    "cli.status": "Exit status: 0 done, 1 could not, 2 bad usage.",
    "cli.dashes": "A name that begins with a dash stands after --, as in: qwen-tui {command} -- -name",
    "cli.name": "the name of a conversation",
    "cli.as_json": "print JSON",
    "cli.list": "the names of the conversations, the one used last first",
    "cli.list_trash": "list what is in the trash instead",
    "cli.list.none": "there are no conversations yet",
    "cli.list.no_trash": "the trash is empty",
    "cli.show": "print a conversation as plain text",
    "cli.search": "the conversations in which all of the words occur; status 1 where there is none",
    "cli.search_words": "words of the name or of what was said",
    "cli.search.none": "no conversation holds all of these words",
    "cli.export": "print a conversation, or write it to a file, for reading or for another program",
    "cli.export_format": (
        "markdown to read, json for everything in it with all branches, openai for a message list; "
        "without it the ending of FILE tells (.md, .json, .openai.json), else markdown"
    ),
    "cli.export_output": "write to this file; one that is there is not written over",
    "cli.export_force": "write over a file that is there",
    "cli.import": "take in conversations: JSON of qwen-tui, OpenAI lists (JSON, JSONL), ChatGPT exports",
    "cli.import_files": "a file, or a zip archive of a ChatGPT export; - reads the standard input",
    "cli.stdin": "the standard input",
    "cli.rename": "give a conversation another name, and print it",
    "cli.new_name": "the new name; it gets a number if another conversation has it",
    "cli.no_name": "nothing of that name can be seen",
    "cli.delete": "move a conversation to the trash, where it stays for thirty days",
    "cli.deleted": "“{name}” is in the trash; qwen-tui restore brings it back",
    "cli.restore": "bring a conversation back from the trash, and print its name",
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
    "cli.not_found": (
        "No such conversation",
        "There is no conversation “{name}”.",
        "qwen-tui list shows those there are, with --trash the deleted ones.",
    ),
    "cli.not_found_but": (
        "No such conversation",
        "There is no conversation “{name}”.",
        "Near it are {close}.",
    ),
    "cli.not_printed": (
        "The result could not be written",
        "The standard output could not be written: {detail}.",
        "Make room there, or write to another place.",
    ),
    "cli.not_read": (
        "No input",
        "The standard input cannot be read: {detail}.",
        "Leave the - out, or give it a file or a pipe.",
    ),
    "cli.not_text": (
        "Not text",
        "The standard input is not UTF-8 text.",
        "Convert it first, for example with iconv.",
    ),
}
