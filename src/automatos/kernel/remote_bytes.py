"""What other people's bytes say, read at a cost that grows with their number and no faster.

Every reader here looks at each byte a fixed number of times, whatever the sender wrote: decoders from a closed list,
and a scanner of pages that keeps names of open elements, never a tree. The gate in `tests/test_byte_costs.py`
holds them to it.
"""

import codecs
import html
import re
from collections import Counter
from types import MappingProxyType

_WESTERN = {f"windows-{page}": f"cp{page}" for page in (874, *range(1250, 1259))}
_LATIN = {f"iso-8859-{part}": f"iso8859-{part}" for part in (*range(2, 12), 13, 14, 15, 16)}
_EAST_ASIAN = {name: name for name in (
    "gbk", "gb18030", "gb2312", "big5", "big5hkscs", "shift_jis", "euc_jp", "euc_kr")}
_CODECS = MappingProxyType({
    "utf-8": "utf-8", "utf-16": "utf-16", "utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be",
    "us-ascii": "cp1252", "iso-8859-1": "cp1252", "koi8-r": "koi8-r", "koi8-u": "koi8-u",
    **_WESTERN, **_LATIN, **_EAST_ASIAN,
})
"""The character sets that are read. Python knows others that cost the square of the bytes (punycode, idna), or mean
something else than characters (utf-7, unicode_escape, base64): a sender does not get to choose those."""
_ALIASES = MappingProxyType({
    "utf8": "utf-8", "unicode-1-1-utf-8": "utf-8", "utf16": "utf-16", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be",
    "ascii": "us-ascii", "latin1": "iso-8859-1", "latin-1": "iso-8859-1", "iso8859-1": "iso-8859-1", "l1": "iso-8859-1",
    "sjis": "shift_jis", "shift-jis": "shift_jis", "windows-31j": "shift_jis", "ms932": "shift_jis",
    "x-sjis": "shift_jis",
    "euc-jp": "euc_jp", "euc-kr": "euc_kr", "ks_c_5601-1987": "euc_kr", "gb2312-80": "gb2312",
    "big5-hkscs": "big5hkscs",
})
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_META = re.compile(rb"<meta[^<>]{0,200}charset\s{0,10}=\s{0,10}[\"']?([A-Za-z0-9_:.\-]{1,40})", re.IGNORECASE)
META_BYTES, MAX_TITLE_CHARS = 2048, 500

_NAME = re.compile(r"/?[A-Za-z][^\s/>]{0,63}")
_TAG_REST = re.compile(r"""(?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+')?+)*+>""")
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});?")
_SPACE = re.compile(r"\s+")
HIDDEN = frozenset({
    "script", "style", "noscript", "template", "svg", "nav", "footer", "form", "iframe", "button", "select",
})
RAW = frozenset({"script", "style", "iframe", "noscript", "title", "textarea", "xmp", "noembed", "noframes"})
"""Elements whose content is no markup: it goes on to the end tag of the same name."""
BREAKS = frozenset({
    "p", "div", "section", "article", "main", "header", "br", "hr", "li", "ul", "ol", "table", "tr", "pre",
    "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd", "figure", "figcaption",
})


def decode(content: bytes, charset: str | None) -> str:
    """Return text in the character set that was named, if it is one that is read; anything else is UTF-8 with holes."""
    return content.decode(_codec(charset) or "utf-8", "replace")


def decode_page(content: bytes, charset: str | None) -> str:
    """Return an HTML page as text: a byte order mark counts first, then what HTTP says, then the page's own word."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return content[len(mark):].decode(name, "replace")
    found = _codec(charset)
    if found is None and (said := _META.search(content[:META_BYTES])):
        found = _codec(said[1].decode("ascii"))
        found = "utf-8" if found and found.startswith("utf-16") else found  # it was read as bytes of ASCII to get here
    return content.decode(found or "utf-8", "replace")


def _codec(charset: str | None) -> str | None:
    name = (charset or "").strip().lower()
    return _CODECS.get(_ALIASES.get(name, name))


def read_page(content: bytes, charset: str | None) -> tuple[str, str]:
    """Return the title and the visible text of an HTML page, one block a line."""
    return readable(decode_page(content, charset))


def readable(page: str) -> tuple[str, str]:
    """Return the title and the visible text of an HTML page, one block a line."""
    reader = _Page(page)
    reader.read()
    lines = (_SPACE.sub(" ", line).strip() for line in "".join(reader.text).split("\n"))
    return _SPACE.sub(" ", "".join(reader.title)).strip()[:MAX_TITLE_CHARS], "\n".join(line for line in lines if line)


class _Page:
    """One page while it is scanned; a construct that never ends takes the rest of the page, as in a browser.

    That rule is also what bounds the cost: no search that failed is ever begun again from the next byte.
    """

    def __init__(self, page: str) -> None:
        self.title: list[str] = []
        self.text: list[str] = []
        self._page = page
        self._place = 0
        self._hidden: list[str] = []
        self._open: Counter[str] = Counter()

    def read(self) -> None:
        page, end = self._page, len(self._page)
        while self._place < end:
            start = page.find("<", self._place)
            if start < 0:
                start = end
            if start > self._place:
                self._show(page[self._place:start])
            if start < end:
                self._place = self._markup(start)
            else:
                return

    def _markup(self, start: int) -> int:
        """Take what begins with a bracket and return where reading goes on."""
        page = self._page
        if page.startswith("<!--", start):
            return self._after("-->", start + 2 if page.startswith("<!-->", start) else start + 4)
        if page.startswith(("<!", "<?"), start):
            return self._after(">", start + 2)
        named = _NAME.match(page, start + 1)
        if named is None:
            self._show("<")
            return start + 1
        rest = _TAG_REST.match(page, named.end())
        if rest is None:
            return len(page)
        name = named[0].lower()
        self._tag(name, is_closed=page[rest.end() - 2] == "/")
        return self._raw(name, rest.end()) if name in RAW else rest.end()

    def _after(self, mark: str, start: int) -> int:
        found = self._page.find(mark, start)
        return len(self._page) if found < 0 else found + len(mark)

    def _raw(self, name: str, start: int) -> int:
        """Take the content of an element that holds no markup; its end tag is read as any other."""
        found = _END_OF[name].search(self._page, start)
        end = found.start() if found else len(self._page)
        if name == "title":
            self.title.append(_unescape(self._page[start:end]))
        elif name not in HIDDEN:
            self._show(self._page[start:end])
        return end

    def _tag(self, name: str, *, is_closed: bool) -> None:
        plain = name.removeprefix("/")
        if plain in BREAKS:
            self.text.append("\n")
        elif name in HIDDEN:
            if not is_closed or name in RAW:
                self._hidden.append(name)
                self._open[name] += 1
        elif plain in HIDDEN and self._open[plain]:
            while True:
                ended = self._hidden.pop()
                self._open[ended] -= 1
                if ended == plain:
                    return

    def _show(self, written: str) -> None:
        if not self._hidden:
            self.text.append(_unescape(written).replace("\n", " "))


_END_OF = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in RAW}


def _unescape(text: str) -> str:
    """Replace character references; one with more digits than characters have numbers stays as it is written."""
    return _REFERENCE.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text
