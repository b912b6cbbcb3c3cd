"""Find the repository that a pasted address of the hub names: a page of the model, or one of its files."""

import re
from urllib.parse import urlsplit

from qwen_tui.engine.models.hub_probe import HUB, endpoint

NAME = re.compile(r"([\w.-]+/)?[\w.-]+")
"""Pattern of repository names."""

_HOSTS = ("huggingface.co", "hf.co", "hf-mirror.com")

_PAGES = ("models", "datasets", "spaces", "docs", "collections", "papers", "blog", "settings", "api", "v1")
"""First parts of addresses that are not a model's."""

_OF_MAIN = re.compile(r"(tree|blob|resolve|raw|commits)/main(/.*)?|discussions(/.*)?")
"""What may follow a repository in an address; another revision than `main` cannot be loaded."""


def repository_in(text: str) -> str:
    """Return the name of the repository that this address leads to; any other text is returned as it is."""
    address = text.strip()
    scheme, mark, _ = address.partition("://")
    if mark and scheme.lower() not in ("http", "https", "hf"):
        return text
    try:
        parts = urlsplit(address if mark else f"{urlsplit(HUB).scheme}://{address}")
        own = urlsplit(endpoint()).netloc
    except ValueError:
        return text
    path = parts.path
    if scheme.lower() == "hf" and mark:  # hf://OWNER/NAME
        path = f"/{parts.netloc}{parts.path}"
    elif parts.netloc.lower().removeprefix("www.") not in (*_HOSTS, own):
        return text
    owner, _, rest = path.strip("/").partition("/")
    name, _, rest = rest.partition("/")
    # Ollama's addresses end in the file to use: hf.co/OWNER/NAME:Q4_K_M
    found = f"{owner}/{name.partition(':')[0]}" if name else owner
    is_model = owner not in _PAGES and NAME.fullmatch(found) and (not rest or _OF_MAIN.fullmatch(rest))
    return found if is_model else text
