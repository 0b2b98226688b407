"""research: the readable text of a web page."""

import re
from html.parser import HTMLParser
from typing import Any

from automatos.tools.builtin.fetch import is_text
from automatos.tools.errors import ToolRefused
from automatos.tools.guard import Outgoing
from automatos.tools.means import Means

HIDDEN = frozenset({
    "script", "style", "noscript", "template", "svg", "nav", "footer", "form", "iframe", "button", "select",
})
BREAKS = frozenset({
    "p", "div", "section", "article", "main", "header", "br", "hr", "li", "ul", "ol", "table", "tr", "pre",
    "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd", "figure", "figcaption",
})
PAGE = frozenset({"text/html", "application/xhtml+xml"})
ACCEPT = ("Accept", "text/html,application/xhtml+xml,text/plain;q=0.9,application/json;q=0.8")


async def run(arguments: dict[str, Any], means: Means) -> str:
    """Fetch a page and return its title, address and text."""
    page = await means.fetch(Outgoing(arguments["url"], headers=(ACCEPT,)))
    if page.status >= 400:
        raise ToolRefused("fetch_failed", f"{page.url} answered {page.status} {page.reason}.")
    if page.content_type not in PAGE:
        if not is_text(page.content_type):
            raise ToolRefused("fetch_failed", f"{page.url} is {page.content_type}, not a page of text.")
        return f"{page.url}\n\n{page.text}"
    title, text = readable(page.text)
    return f"{title or 'Untitled'}\n{page.url}\n\n{text or '[the page holds no text]'}"


def readable(html: str) -> tuple[str, str]:
    """Return the title and the visible text of an HTML page, one block a line."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (re.sub(r"\s+", " ", line).strip() for line in "".join(reader.text).split("\n"))
    return re.sub(r"\s+", " ", "".join(reader.title)).strip(), "\n".join(line for line in lines if line)


class _Reader(HTMLParser):
    """Collects text outside hidden elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title: list[str] = []
        self.text: list[str] = []
        self._hidden: list[str] = []
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in HIDDEN:
            self._hidden.append(tag)
        elif tag == "title":
            self._in_title = True
        elif tag in BREAKS:
            self.text.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in BREAKS:
            self.text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            while self._hidden.pop() != tag:
                pass
        elif tag == "title":
            self._in_title = False
        elif tag in BREAKS:
            self.text.append("\n")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)
        elif not self._hidden:
            self.text.append(data.replace("\n", " "))
