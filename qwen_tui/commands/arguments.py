"""The command-line parser: commands, flags and their help."""

import argparse
import dataclasses
import os
import sys
from typing import NoReturn, TypeAlias

from qwen_tui import __version__
from qwen_tui.chat.exchange.formats import Format
from qwen_tui.chat.names import tidy
from qwen_tui.commands.argparse_words import HelpFormatter, translate
from qwen_tui.engine.base import Sampling
from qwen_tui.settings.options import OPTIONS
from qwen_tui.strings import say

USAGE_ERROR = 2

VALUES = (*(field.name for field in dataclasses.fields(Sampling)), "thinking", "effort", "thinking_budget")
"""The settings that `ask` accepts for its reply."""

CONVERSATION_COMMANDS = ("list", "show", "search", "export", "import", "rename", "delete", "restore")
"""The commands for saved conversations."""

LESSONS = ("tokens", "template", "sampling", "memory", "quantization")
"""The lessons, as `ui.inside.lessons` has them: parsing the command line must not import the screen."""


class Arguments(argparse.Namespace):
    """The parsed command line; values that were not given are None."""

    command: str | None
    model: str | None
    server: str | None
    quantization: str | None
    dtype: str | None
    device: str | None
    system: str | None
    conversation: str | None
    last: bool
    plain: bool
    lesson: str | None
    data_dir: str | None
    config: str | None
    language: str | None
    trust_remote_code: bool
    offline: bool
    shape: str | None
    contexts: str | None
    repeats: int
    text: list[str]
    json: bool
    name: str
    new_name: str
    trash: bool
    words: list[str]
    files: list[str]
    format: str | None
    output: str | None
    force: bool
    clear: bool
    delete: str | None
    yes: bool
    lint: str | None


class _Parser(argparse.ArgumentParser):
    """An argparse parser whose errors are one sentence and a next step."""

    def error(self, message: str) -> NoReturn:
        print(say("cli.usage_error", prog=self.prog, message=message), file=sys.stderr)
        sys.exit(USAGE_ERROR)


_Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"


def parse_first(argv: list[str] | None = None) -> Arguments:
    """Parse the flags that are needed before the rest: the locations, and the language of help and errors.

    Errors are left to `parse`.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for flag in ("--data-dir", "--config", "--language"):
        parser.add_argument(flag)
    try:
        return parser.parse_known_args(argv, namespace=Arguments())[0]
    except argparse.ArgumentError:
        return parser.parse_args([], namespace=Arguments())


def parse(argv: list[str] | None = None) -> Arguments:
    """Parse the command line; exits with status 2 on bad usage, 0 after `--help` and `--version`."""
    translate()
    parser = _Parser(
        prog="qwen-tui",
        description=say("cli.description"),
        epilog=say("cli.examples"),
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version=f"qwen-tui {__version__}", help=say("cli.version")
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--conversation", type=_text, metavar="NAME", help=say("cli.conversation"))
    which.add_argument("--last", action="store_true", help=say("cli.last"))
    parser.add_argument("--plain", action="store_true", help=say("cli.plain"))
    _add_common(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title=say("cli.commands"))
    _add_ask(commands)
    _add_conversation_commands(commands)
    models = _command(commands, "models", say("cli.models_description"), say("cli.models_examples"))
    models.add_argument("--json", action="store_true", default=False, help=say("cli.models_json"))
    models.add_argument("--lint", type=_text, metavar="MODEL", default=None, help=say("cli.models_lint"))
    models.add_argument("--delete", type=_text, metavar="MODEL", default=None, help=say("cli.models_delete"))
    models.add_argument("--yes", action="store_true", default=False, help=say("cli.models_yes"))
    models.add_argument("--clear", action="store_true", default=False, help=say("cli.models_clear"))
    _add_common(models)
    _add_common(_command(commands, "doctor", say("cli.doctor_description"), ""))
    _add_bench(commands)
    learn = _command(commands, "learn", say("cli.learn_description"), say("cli.learn_examples"))
    learn.add_argument("lesson", nargs="?", choices=LESSONS, default=LESSONS[0], help=say("cli.lesson"))
    _add_common(learn)
    given, rest = parser.parse_known_args(argv, namespace=Arguments())
    if rest and given.command == "ask" and all(word == "-" or not word.startswith("-") for word in rest):
        given.text = [*given.text, *map(_text, rest)]  # argparse accepts no more words after a flag
    elif rest:
        speaking = commands.choices[given.command] if given.command else parser
        speaking.error(say("cli.unknown", words=" ".join(map(_text, rest))))
    return given


def _add_ask(commands: _Commands) -> None:
    ask = _command(commands, "ask", say("cli.ask_description"), say("cli.ask_examples"))
    ask.add_argument("text", type=_text, nargs="*", metavar="TEXT", default=[], help=say("cli.ask_text"))
    ask.add_argument("--json", action="store_true", default=False, help=say("cli.ask_json"))
    group = ask.add_argument_group(say("cli.ask_values"))
    for name in VALUES:
        option = OPTIONS[name]
        forms = {"switch": "on|off", "text": "TEXT", "choice": "|".join(option.choices)}
        form = forms.get(option.kind, "N")
        flag = f"--{name.replace('_', '-')}"
        # As typed: checked together with the other settings.
        group.add_argument(flag, dest=name, metavar=form, help=option.help.replace("%", "%%"))
    _add_common(ask)


def _add_bench(commands: _Commands) -> None:
    bench = _command(commands, "bench", say("cli.bench_description"), say("cli.bench_examples"))
    bench.add_argument("--shape", metavar="NAME", default=None, help=say("cli.bench_shape"))
    bench.add_argument("--contexts", metavar="N,N", default=None, help=say("cli.bench_contexts"))
    bench.add_argument("--repeats", metavar="N", type=_positive, default=3, help=say("cli.bench_repeats"))
    bench.add_argument("--json", action="store_true", default=False, help=say("cli.bench_json"))
    _add_common(bench)


def _positive(given: str) -> int:
    if not given.isdecimal() or not int(given):
        raise argparse.ArgumentTypeError(say("cli.not_positive"))
    return int(given)


def _add_conversation_commands(commands: _Commands) -> None:
    parsers = {}
    for name in CONVERSATION_COMMANDS:
        description = f"{say(f'cli.{name}')}\n\n{say('cli.status')}"
        hint = "" if name == "list" else say("cli.dashes", command=name)
        parsers[name] = _command(commands, name, description, hint)
        _add_places(parsers[name])
    for name in ("show", "export", "rename", "delete", "restore"):
        parsers[name].add_argument("name", type=_text, metavar="NAME", help=say("cli.name"))
    for name in ("list", "search"):
        parsers[name].add_argument("--json", action="store_true", default=False, help=say("cli.as_json"))
    parsers["list"].add_argument("--trash", action="store_true", default=False, help=say("cli.list_trash"))
    parsers["search"].add_argument(
        "words", type=_text, nargs="+", metavar="WORD", help=say("cli.search_words")
    )
    parsers["import"].add_argument("files", nargs="+", metavar="FILE", help=say("cli.import_files"))
    parsers["rename"].add_argument("new_name", type=_name, metavar="NEW", help=say("cli.new_name"))
    export = parsers["export"]
    export.add_argument(
        "--format", choices=[form.value for form in Format], default=None, help=say("cli.export_format")
    )
    export.add_argument("--output", "-o", metavar="FILE", default=None, help=say("cli.export_output"))
    export.add_argument("--force", action="store_true", default=False, help=say("cli.export_force"))


def _command(commands: _Commands, name: str, description: str, epilog: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=say(f"cli.{name}"),
        description=description,
        epilog=epilog,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,  # else defaults would overwrite flags before the command
    )


def _text(given: str) -> str:
    """Decode an argument as UTF-8, whatever the locale."""
    return os.fsencode(given).decode(errors="replace")


def _name(given: str) -> str:
    name = _text(given)
    if not tidy(name):
        raise argparse.ArgumentTypeError(say("cli.no_name"))
    return name


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="guide|FOLDER|HUB_ID", help=say("cli.model"))
    parser.add_argument("--server", metavar="URL", help=say("cli.server"))
    parser.add_argument(
        "--quantization", choices=("auto", "none", "4bit", "8bit"), help=say("cli.quantization")
    )
    parser.add_argument("--dtype", choices=OPTIONS["dtype"].choices, help=say("cli.dtype"))
    parser.add_argument("--device", metavar="auto|cpu|cuda|cuda:N", help=say("cli.device"))
    parser.add_argument("--system", type=_text, metavar="TEXT", help=say("cli.system"))
    parser.add_argument("--offline", action="store_true", help=say("cli.offline"))
    _add_places(parser)
    parser.add_argument("--trust-remote-code", action="store_true", help=say("cli.trust_remote_code"))


def _add_places(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", metavar="DIR", help=say("cli.data_dir"))
    parser.add_argument("--config", metavar="FILE", help=say("cli.config"))
    choices = OPTIONS["language"].choices
    parser.add_argument("--language", choices=choices, help=say("cli.language"))
