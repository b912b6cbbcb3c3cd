"""The command line in words and flags: what may be given, and what it means."""

import argparse
import sys
from typing import NoReturn

from qwen_tui import __version__
from qwen_tui.strings import say

USAGE_ERROR = 2


class Arguments(argparse.Namespace):
    """What was given on the command line; None where nothing was."""

    command: str | None
    model: str | None
    quantization: str | None
    device: str | None
    system: str | None
    conversation: str | None
    data_dir: str | None
    config: str | None
    trust_remote_code: bool
    text: str | None
    json: bool


class _Parser(argparse.ArgumentParser):
    """argparse with errors of one sentence and a next step."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message}. {say('cli.see_help', prog=self.prog)}", file=sys.stderr)
        sys.exit(USAGE_ERROR)


def parse(argv: list[str] | None = None) -> Arguments:
    """Read the command line; exits with status 2 on bad usage, 0 after `--help` and `--version`."""
    parser = _Parser(
        prog="qwen-tui",
        description=say("cli.description"),
        epilog=say("cli.examples"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"qwen-tui {__version__}")
    parser.add_argument("--conversation", metavar="NAME", help=say("cli.conversation"))
    _add_common(parser)
    commands = parser.add_subparsers(dest="command", metavar="ask", title=say("cli.commands"))
    ask = commands.add_parser(
        "ask",
        help=say("cli.ask"),
        description=say("cli.ask_description"),
        epilog=say("cli.ask_examples"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,  # so that flags given before `ask` are not undone by its defaults
    )
    ask.add_argument("text", nargs="?", metavar="TEXT", default=None, help=say("cli.ask_text"))
    ask.add_argument("--json", action="store_true", default=False, help=say("cli.ask_json"))
    _add_common(ask)
    return parser.parse_args(argv, namespace=Arguments())


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="guide|FOLDER|HUB_ID", help=say("cli.model"))
    parser.add_argument(
        "--quantization", choices=("auto", "none", "4bit", "8bit"), help=say("cli.quantization")
    )
    parser.add_argument("--device", metavar="auto|cpu|cuda|cuda:N", help=say("cli.device"))
    parser.add_argument("--system", metavar="TEXT", help=say("cli.system"))
    parser.add_argument("--data-dir", metavar="DIR", help=say("cli.data_dir"))
    parser.add_argument("--config", metavar="FILE", help=say("cli.config"))
    parser.add_argument("--trust-remote-code", action="store_true", help=say("cli.trust_remote_code"))
