"""The guide: a tiny chat model of the Qwen2 architecture that ships inside the package.

It answers about qwen-tui and the beginner's ideas behind it, in English and Chinese, with no download. It is
not one of Alibaba's Qwen models. `README.md` beside this file is its model card.
"""

from pathlib import Path


def model_folder() -> Path:
    """Return the folder that `AutoTokenizer` and `AutoModelForCausalLM` load the guide from."""
    return Path(__file__).parent / "model"
