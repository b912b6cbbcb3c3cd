"""What a process has imported decides how fast it starts and what it weighs."""

import subprocess
import sys

import pytest

HEAVY = {
    "torch",
    "transformers",
    "tokenizers",
    "accelerate",
    "bitsandbytes",
    "huggingface_hub",
    "httpx",
    "numpy",
}


def imported_by(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("module", ["qwen_tui.ui.app", "qwen_tui.engine.opening", "qwen_tui.engine.worker"])
def test_the_screens_process_imports_nothing_heavy(module: str) -> None:
    assert not imported_by(f"import {module}") & HEAVY


@pytest.mark.parametrize(
    "module", ["qwen_tui.cli", "qwen_tui.commands.ask", "qwen_tui.commands.conversations"]
)
def test_help_and_commands_do_not_wait_for_the_screen(module: str) -> None:
    assert "textual" not in imported_by(f"import {module}")
