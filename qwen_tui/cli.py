"""The entry point: parse the command line, load the settings, and run the screen or a module of `commands`."""

import os
import sys
from dataclasses import replace
from importlib import import_module

from qwen_tui import strings
from qwen_tui.chat.messages import Json
from qwen_tui.commands import arguments
from qwen_tui.commands.arguments import CONVERSATION_COMMANDS, USAGE_ERROR, VALUES, Arguments
from qwen_tui.errors import QwenTuiError
from qwen_tui.paths import places
from qwen_tui.settings import config_file
from qwen_tui.settings.options import OPTIONS, Settings


def main(argv: list[str] | None = None) -> int:
    """Run the program; return its exit status."""
    _open_missing_streams()
    first = arguments.parse_first(argv)
    strings.choose(first.language)
    where = places(first.data_dir, first.config)
    config = config_file.load(where.config_file)
    strings.choose(first.language or config.settings.language)
    given = arguments.parse(argv)
    if getattr(given, "offline", False):
        # The engine worker inherits this, and the hub library reads it there.
        os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        config = replace(config, settings=_with_flags(config.settings, given))
    except QwenTuiError as error:
        print(f"qwen-tui: {error}", file=sys.stderr)
        return USAGE_ERROR
    if given.command is not None:
        for problem in config.problems:
            print(f"qwen-tui: {problem}", file=sys.stderr)
    module = {"learn": "screen", **dict.fromkeys(CONVERSATION_COMMANDS, "conversations")}
    start = "plain" if given.plain else "screen"
    name = module.get(given.command or start, given.command or start)
    command = import_module(f"qwen_tui.commands.{name}")  # no command waits for another's imports
    status: int = command.run(given, config, where)
    return status


def _open_missing_streams() -> None:
    """Replace missing standard streams by empty ones.

    In Python they would be None, and the next opened file would get their descriptor.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - for as long as it runs


def _with_flags(settings: Settings, given: Arguments) -> Settings:
    """Return the settings of this run: flags win over the config file, and are never written to it."""
    flags: dict[str, Json] = {
        "model": given.model,
        "server": given.server,
        "quantization": given.quantization,
        "dtype": given.dtype,
        "device": given.device,
        "language": given.language,
        "system_prompt": given.system,
        "trust_remote_code": given.trust_remote_code or None,
    }
    if given.server is not None:
        # The model in the config file is a local one, or one of another server.
        settings = replace(settings, model=None)
    wanted = {name: OPTIONS[name].check(value) for name, value in flags.items() if value is not None}
    typed = {name: OPTIONS[name].parse(getattr(given, name)) for name in VALUES if name in given}
    if typed.get("temperature"):
        wanted["greedy"] = None  # `greedy` in the config file would override the temperature
    return replace(settings, **{**wanted, **typed})
