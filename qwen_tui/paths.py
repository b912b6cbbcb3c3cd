"""The locations of files on this machine, from platformdirs; nothing is created here.

| what | where on Linux |
|---|---|
| config file | `~/.config/qwen-tui/config.toml` |
| conversations, their trash and index | `~/.local/share/qwen-tui/conversations/` |
| drafts | `~/.local/share/qwen-tui/drafts/` |
| which models were loaded, and when | `~/.local/share/qwen-tui/models.json` |
| quantized weights | `~/.cache/qwen-tui/quantized/` |
| log file | `~/.local/state/qwen-tui/log/qwen-tui.log` |
"""

from pathlib import Path
from typing import NamedTuple

import platformdirs

NAME = "qwen-tui"


class Places(NamedTuple):
    """The files and folders of one run of the program."""

    config_file: Path
    data_folder: Path
    log_file: Path
    quantized: Path
    """The cache of quantized weights."""

    @property
    def conversations(self) -> Path:
        """The folder of the conversation files."""
        return self.data_folder / "conversations"

    @property
    def drafts(self) -> Path:
        """The folder of the draft files."""
        return self.data_folder / "drafts"

    @property
    def models(self) -> Path:
        """The file that records which models were loaded."""
        return self.data_folder / "models.json"


def places(data_dir: str | None = None, config: str | None = None) -> Places:
    """Return the locations for this run; `data_dir` and `config` come from the command line.

    With `data_dir`, the log and the quantized weights go there too, so that nothing is written elsewhere.
    """
    data_folder = Path(data_dir).expanduser() if data_dir else Path(platformdirs.user_data_dir(NAME, False))
    log_folder = data_folder / "log" if data_dir else Path(platformdirs.user_log_dir(NAME, False))
    cache_folder = data_folder / "cache" if data_dir else Path(platformdirs.user_cache_dir(NAME, False))
    default_config = Path(platformdirs.user_config_dir(NAME, False)) / "config.toml"
    config_file = Path(config).expanduser() if config else default_config
    return Places(config_file, data_folder, log_folder / "qwen-tui.log", cache_folder / "quantized")
