"""research: the readable text of a web page."""

from typing import Any

from automatos.kernel.confined import Allowance, TooCostly, confined_for
from automatos.kernel.remote_bytes import read_page
from automatos.tools.builtin.fetch import is_text
from automatos.tools.errors import ToolRefused
from automatos.tools.guard import Outgoing
from automatos.tools.tool_deps import ToolDeps

PAGE = frozenset({"text/html", "application/xhtml+xml"})
ACCEPT = ("Accept", "text/html,application/xhtml+xml,text/plain;q=0.9,application/json;q=0.8")
ALLOWED = Allowance(cpu_s=10, deadline_s=30.0)


async def run(arguments: dict[str, Any], deps: ToolDeps) -> str:
    """Fetch a page and return its title, address and text."""
    page = await deps.fetch(Outgoing(arguments["url"], headers=(ACCEPT,)))
    if page.status >= 400:
        raise ToolRefused("fetch_failed", f"{page.url} answered {page.status} {page.reason}.")
    if page.content_type not in PAGE:
        if not is_text(page.content_type):
            raise ToolRefused("fetch_failed", f"{page.url} is {page.content_type}, not a page of text.")
        return f"{page.url}\n\n{page.text}"
    try:
        title, text = await confined_for(
            deps.context.workspace_id, ALLOWED, read_page, page.body, page.charset)
    except TooCostly as error:
        raise ToolRefused("page_too_costly", f"{page.url} could not be read: {error.detail}") from error
    return f"{title or 'Untitled'}\n{page.url}\n\n{text or '[the page holds no text]'}"
