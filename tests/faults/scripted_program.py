"""The whole program on a scripted engine: `python scripted_program.py DATA REPLIES SECONDS CONVERSATION`.

REPLIES is a JSON file: a list of replies, each a list of deltas, which come SECONDS apart.
CONVERSATION is the name of the one to open, or empty.
"""

import json
import sys
from pathlib import Path

from doubles import Reply, ScriptedEngine

from qwen_tui.chat.drafts import Drafts
from qwen_tui.chat.store import ConversationStore
from qwen_tui.paths import places
from qwen_tui.session.library import Library
from qwen_tui.settings import config_file
from qwen_tui.ui.app import QwenTuiApp
from qwen_tui.ui.terminal import launch as terminal


def main() -> int:
    """As `commands/screen.py` does it."""
    where = places(sys.argv[1], str(Path(sys.argv[1]) / "config.toml"))
    pace, conversation = float(sys.argv[3]), sys.argv[4] or None
    replies = [Reply(deltas, seconds_a_delta=pace) for deltas in json.loads(Path(sys.argv[2]).read_text())]
    config = config_file.load(where.config_file)
    drafts = Drafts(where.drafts)
    apps: list[QwenTuiApp] = []

    def make_app() -> QwenTuiApp:
        library = Library(ConversationStore(where.conversations, drafts))
        apps.append(
            QwenTuiApp(config, where, library, drafts, lambda *_: ScriptedEngine(replies), conversation)
        )
        return apps[-1]

    return terminal.run(make_app, where.log_file, lambda: [app.close_engine() for app in apps])


if __name__ == "__main__":
    sys.exit(main())
