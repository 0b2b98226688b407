"""text_stats: how long a text is."""

import re
from typing import Any

import orjson

from automatos.tools.tool_deps import ToolDeps

WORDS_PER_MINUTE = 220


async def run(arguments: dict[str, Any], deps: ToolDeps) -> str:
    """Count characters, words, sentences and lines."""
    del deps
    text = str(arguments["text"])
    words = len(text.split())
    return orjson.dumps({
        "characters": len(text),
        "words": words,
        "sentences": len(re.findall(r"[.!?](?=\s|$)", text)) or int(bool(text.strip())),
        "lines": len(text.splitlines()),
        "reading_minutes": round(words / WORDS_PER_MINUTE, 1),
    }).decode()
