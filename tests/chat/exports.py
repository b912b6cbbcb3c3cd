"""Files of other programs, as they write them."""

import io
import json
import zipfile
from typing import Any

from qwen_tui.chat.exchange.reading import Imported, read


def imported(value: Any) -> Imported:
    """What is read from a value as JSON, or from bytes as they are."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return read(io.BytesIO(data), "a file")


def zipped(**files: bytes) -> bytes:
    """A zip archive; `__` in a name stands for a slash, `_json` for the ending."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_json", ".json"), data)
    return out.getvalue()


def node(parent: str | None, role: str = "", *parts: Any, **values: Any) -> dict[str, Any]:
    """A node of a ChatGPT export; without a role one that holds no message, as the root."""
    if not role:
        return {"parent": parent, "children": [], "message": None}
    message = {
        "author": {"role": role, "name": None, "metadata": {}},
        "create_time": 1_700_000_000.25,
        "content": {"content_type": "text", "parts": list(parts)},
        "metadata": {"model_slug": "gpt-4o"} if role == "assistant" else {},
        "recipient": "all",
        "weight": 1.0,
    }
    return {"parent": parent, "children": [], "message": message | values}


def chatgpt(**nodes: dict[str, Any]) -> dict[str, Any]:
    """A conversation of a ChatGPT export, shown up to its last node."""
    return {
        "title": "广州美食",
        "create_time": 1_700_000_000.25,
        "update_time": 1_700_000_100.5,
        "mapping": {key: {"id": key} | each for key, each in nodes.items()},
        "current_node": list(nodes)[-1],
    }


def guangzhou() -> dict[str, Any]:
    """A conversation with a hidden node, a tool, a picture, and a question that was answered twice."""
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x"}
    hidden = {"metadata": {"is_visually_hidden_from_conversation": True}}
    photo = {"content": {"content_type": "multimodal_text", "parts": [picture, "这是哪里？"]}}
    call = {"recipient": "browser", "content": {"content_type": "code", "text": "search()"}}
    return chatgpt(
        root=node(None),
        opening=node("root", "system", "", **hidden),
        rules=node("opening", "system", "You are a guide.", **hidden),
        asked=node("rules", "user", "广州有什么好吃的？"),
        first=node("asked", "assistant", "早茶。", create_time=1_700_000_001),
        second=node("asked", "assistant", "肠粉。", create_time=1_700_000_002),
        looked=node("second", "user", create_time=1_700_000_003, **photo),
        call=node("looked", "assistant", create_time=1_700_000_004, **call),
        found=node("call", "tool", "广州塔", create_time=1_700_000_005),
        last=node("found", "assistant", "广州塔。", create_time=1_700_000_006),
    )
