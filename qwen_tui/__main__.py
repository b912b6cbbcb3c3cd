"""Run `qwen-tui` as `python -m qwen_tui`."""

import sys

from qwen_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
