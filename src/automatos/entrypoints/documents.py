"""The documentation that ships with the product, as pages: who installed a package has no checkout to read."""

import re
from html import escape
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from automatos.entrypoints.description import FILES, describe_file
from automatos.entrypoints.frontend import under_base
from automatos.entrypoints.overview import DOCS_POLICY, DOCS_STYLE
from automatos.entrypoints.startup import package_file
from automatos.kernel.errors import NotFound

SHIPPED: Final = ("start-here", "how-to", "reference")
"""What of the documentation is for those who run the product, not for those who change it."""
PAGE: Final = re.compile(r"[a-z0-9-]+(?:/[a-z0-9-]+)?")
LINK: Final = re.compile(r'href="(?!https?:|#|/)(?:\./)?([^"#]*?)\.md(#[^"]*)?"')

router = APIRouter(include_in_schema=False)


class PageMissing(NotFound):
    """The documentation has no page of that name."""

    code = "page_not_found"


@router.get("/openapi.json")
async def lead_to_description(request: Request) -> RedirectResponse:
    """Lead from the usual address of an API's description to ours."""
    return RedirectResponse(f"{request.app.state.settings.base_path}/api/openapi.json", 308)


@router.get("/api/schemas/{kind}.json")
async def describe_document(kind: str, request: Request) -> JSONResponse:
    """Answer with the JSON Schema of a document that people write: an agent, or a recipe with its agents."""
    if kind not in FILES:
        raise PageMissing(f"There is no schema of {kind[:40]!r}; there are {' and '.join(sorted(FILES))}.")
    await request.app.state.deferred.load()
    return JSONResponse(describe_file(request.app.openapi(), kind), media_type="application/schema+json")


@router.get("/docs")
async def list_documents(request: Request) -> HTMLResponse:
    """List the pages, and the reference of the API."""
    entries = "".join(f'<li><a href="./docs/{name}">{escape(title)}</a></li>' for name, title in list_pages())
    body = f'<h1>Automatos</h1><ul><li><a href="./api/docs">The API</a></li>{entries}</ul>'
    return _answer(request, "Documentation", body)


@router.get("/docs/{name:path}")
async def show_document(name: str, request: Request) -> HTMLResponse:
    """Show one page."""
    from markdown_it import MarkdownIt  # loaded when somebody reads a page

    text = _read(name.removesuffix(".md"))
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    folder = name.rpartition("/")[0]
    html = LINK.sub(lambda found: f'href="./docs/{_join(folder, found[1])}{found[2] or ""}"', html)
    return _answer(request, _title(text), f'<p><a href="./docs">All pages</a></p>{html}')


def list_pages() -> list[tuple[str, str]]:
    """Return name and title of each page, the first steps first."""
    root = package_file("docs")
    files = [path for part in SHIPPED for path in ([root / f"{part}.md"] if (root / f"{part}.md").is_file()
                                                  else sorted((root / part).glob("*.md")))]
    return [(path.relative_to(root).with_suffix("").as_posix(), _title(path.read_text("utf-8"))) for path in files]


def _read(name: str) -> str:
    """Return the text of a page; names of other files, and ways out of the folder, are none."""
    file: Path = package_file("docs") / f"{name}.md"
    if not PAGE.fullmatch(name) or name.split("/", maxsplit=1)[0] not in SHIPPED or not file.is_file():
        raise PageMissing(f"The documentation has no page {name[:100]!r}. GET /docs lists them.")
    return file.read_text("utf-8")


def _join(folder: str, target: str) -> str:
    """Return the page that a relative link of a page in this folder leads to."""
    parts = folder.split("/") if folder else []
    for part in target.split("/"):
        parts = parts[:-1] if part == ".." else [*parts, part]
    return escape("/".join(parts))


def _title(text: str) -> str:
    first = text.lstrip().partition("\n")[0]
    return first.lstrip("# ").strip() or "Automatos"


def _answer(request: Request, title: str, body: str) -> HTMLResponse:
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} · Automatos</title>'
        f'<meta name="viewport" content="width=device-width"><style>{DOCS_STYLE}</style></head>'
        f"<body>{body}</body></html>"
    )
    page = under_base(page, request.app.state.settings.base_path)
    return HTMLResponse(page, headers={"Content-Security-Policy": DOCS_POLICY})
