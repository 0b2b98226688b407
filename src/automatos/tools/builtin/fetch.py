"""http_fetch: one HTTP request to a public address."""

import re
from typing import Any

from automatos.tools.errors import ToolRefused
from automatos.tools.guard import Fetched, Outgoing
from automatos.tools.tool_deps import ToolDeps

OURS = frozenset({
    "host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect",
    "idempotency-key", "accept-encoding", "proxy-authorization", "proxy-connection", "keep-alive",
})
SHOWN_HEADERS = 40
TEXTUAL = re.compile(r"^(text/.*|application/([a-z0-9.+-]*[+.-])?(json|xml|yaml|javascript|x-www-form-urlencoded)|"
                     r"image/svg\+xml)$")


async def run(arguments: dict[str, Any], deps: ToolDeps) -> str:
    """Send the request; anything but GET and HEAD carries the call's key, so that a repeat can be recognised."""
    method, body = str(arguments.get("method", "GET")), arguments.get("body")
    headers: dict[str, str] = arguments.get("headers", {})
    if refused := sorted(name for name in headers if name.lower() in OURS):
        raise ToolRefused("invalid_arguments", f"headers: {', '.join(refused)} cannot be set; leave them out.")
    if method in {"GET", "HEAD"}:
        if body is not None:
            raise ToolRefused("invalid_arguments", f"body: a {method} request has none; leave it out or use POST.")
    else:
        headers = headers | {"Idempotency-Key": deps.context.call_key}
    return describe(await deps.fetch(Outgoing(arguments["url"], method, tuple(headers.items()), body)))


def describe(answer: Fetched) -> str:
    """Return an answer as text: status line, headers, an empty line, the body when it is text."""
    lines = [f"{answer.status} {answer.reason}".strip(), f"url: {answer.url}"]
    lines += [f"{name.lower()}: {value[:500]}" for name, value in answer.headers[:SHOWN_HEADERS]]
    if not answer.body:
        body = ""
    elif is_text(answer.content_type):
        body = answer.text + ("\n[the rest of the body was not read: it is over 2 MB]" if answer.is_cut else "")
    else:
        body = f"[{len(answer.body)} bytes of {answer.content_type}, not text]"
    return "\n".join([*lines, "", body])


def is_text(content_type: str) -> bool:
    """Whether a content type holds text that a model can read."""
    return TEXTUAL.match(content_type) is not None
