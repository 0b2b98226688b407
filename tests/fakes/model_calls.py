"""What the scripted model server is told to answer, and what it was asked."""

import asyncio
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Reply:
    """One scripted answer. What is left out follows the server's defaults (text, chunks, latency)."""

    text: str | None = None
    tool_calls: list[tuple[str, Any]] = field(default_factory=list)  # (name, arguments: dict or raw text)
    delay_s: float | None = None  # before the first byte of the answer
    chunk_delay_s: float = 0.0  # between pieces
    chunks: int | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    message: str = "scripted failure"  # of an error status
    code: str | None = None  # of an error status, OpenAI wire
    body: bytes | None = None  # sent as it is instead of an answer
    content_type: str = "application/json"  # of `body`
    hang: bool = False  # never answers
    truncate: bool = False  # closes the connection after half of the pieces
    html: bool = False  # a web page instead of an answer
    empty_choices: bool = False
    finish_reason: str | None = None
    with_usage: bool = True
    usage: tuple[int, int] | None = None  # input, output tokens
    cached_tokens: int = 0  # input tokens read from the provider's cache
    reasoning: str | None = None  # what the model thought, shown in the manner of the wire; "" is thought and hidden
    style: str = "reasoning_content"  # how a chat completion carries it; a strict provider has its own
    is_refusal: bool = False  # the text is a refusal part (Responses)
    gate: asyncio.Event | None = None  # the answer starts when it is set
    gate_after: int | None = None  # with `gate`: hold after this many pieces instead of before the first


@dataclass
class Call:
    """One call as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    arrived_at: float
    disconnected: bool = False
    finished: bool = False
    tokens: int = 0  # input and output, as they were told to the caller

    @property
    def is_anthropic(self) -> bool:
        return self.path.endswith("/messages")

    @property
    def is_responses(self) -> bool:
        return self.path.endswith("/responses")

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation: messages, or the input items of a response."""
        given = self.body.get("input") or self.body.get("messages") or []
        return [{"role": "user", "content": given}] if isinstance(given, str) else given

    @property
    def idempotency_key(self) -> str | None:
        return self.headers.get("idempotency-key")

    @property
    def tools(self) -> list[str]:
        """The names of the offered tools."""
        return [tool.get("function", tool).get("name", "") for tool in self.body.get("tools") or []]

    @property
    def last_user_text(self) -> str:
        return next((text for index in range(len(self.messages) - 1, -1, -1)
                     if (text := _user_text(self.messages[index]))), "")

    @property
    def tool_results(self) -> list[str]:
        """The tool results that follow the last user text."""
        found: list[str] = []
        for message in reversed(self.messages):
            if _user_text(message):
                break
            found += reversed(_results(message))
        return found[::-1]

    def summary(self) -> dict[str, Any]:
        return {"path": self.path, "model": self.model, "last_user_text": self.last_user_text,
                "messages": len(self.messages), "tools": self.tools, "tool_results": self.tool_results,
                "idempotency_key": self.idempotency_key, "arrived_at": self.arrived_at,
                "disconnected": self.disconnected, "finished": self.finished, "tokens": self.tokens}


def _flat(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if part.get("type") in {"text", "input_text"})
    return str(content or "")


def _user_text(message: dict[str, Any]) -> str:
    return _flat(message.get("content")) if message.get("role") == "user" else ""


def _results(message: dict[str, Any]) -> list[str]:
    if message.get("role") == "tool":
        return [_flat(message.get("content"))]
    if message.get("type") == "function_call_output":
        return [_flat(message.get("output"))]
    content = message.get("content")
    blocks = content if isinstance(content, list) else []
    return [_flat(block.get("content")) for block in blocks if block.get("type") == "tool_result"]
