"""What models were asked and answered, as attributes of spans; nothing of it, unless the operator asks for it."""

from collections.abc import Sequence
from typing import Any, Final

import orjson

from automatos.kernel.telemetry import hide_secrets
from automatos.kernel.tracing import Attribute

MAX_CHARS: Final = 16_000
"""So much of a text is shown."""
WANTED: Final = frozenset({"true", "1", "span_only", "span_and_event"})
"""How OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT says that spans may hold contents."""


class Contents:
    """Writes contents as the conventions for generative AI want them, without secrets; or writes nothing."""

    def __init__(self, setting: str) -> None:
        self._is_wanted = setting.strip().lower() in WANTED

    def asked(self, prompt: str) -> dict[str, Attribute]:
        """Return what an agent was asked."""
        return self._messages("gen_ai.input.messages", "user", [_text(prompt)]) if self._is_wanted else {}

    def answered(self, text: str, calls: Sequence[dict[str, Any]] = (), reason: str = "stop") -> dict[str, Attribute]:
        """Return what a model or an agent answered: its text and the calls it asks for."""
        if not self._is_wanted:
            return {}
        wanted = [{"type": "tool_call", "id": call["id"], "name": call["name"], "arguments": _shown(call["arguments"])}
                  for call in calls]
        return self._messages("gen_ai.output.messages", "assistant", [*([_text(text)] if text else []), *wanted],
                              finish_reason=reason)

    def called(self, arguments: str, result: str) -> dict[str, Attribute]:
        """Return what a tool was given and gave."""
        if not self._is_wanted:
            return {}
        return {"gen_ai.tool.call.arguments": _shown(arguments), "gen_ai.tool.call.result": _shown(result)}

    def _messages(self, name: str, role: str, parts: list[dict[str, str]], **more: str) -> dict[str, Attribute]:
        return {name: orjson.dumps([{"role": role, "parts": parts, **more}]).decode()}


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "content": _shown(text)}


def _shown(text: str) -> str:
    """Return the beginning of a text without secrets; they are hidden first, so that no half of one is left."""
    return hide_secrets(text[:2 * MAX_CHARS])[:MAX_CHARS]
