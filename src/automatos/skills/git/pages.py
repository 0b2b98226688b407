"""Addresses as people copy them from a browser: pages of a repository at the usual hosts and on servers like them."""

import re
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

SHA = re.compile(r"[0-9a-f]{40}")
PAGES_OF_FILES = frozenset({"blob", "raw", "edit", "blame"})
GITHUB_TREES = PAGES_OF_FILES | {"tree", "commits"}
FORGES = frozenset({"github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "gitea.com", "dev.azure.com",
                    "git.sr.ht"})
NAMED_IN_ADDRESS = frozenset({"dev.azure.com", "bitbucket.org"})
"""Hosts whose own button for cloning puts a user's name into the address."""


@dataclass(frozen=True, slots=True)
class Page:
    """A repository's own address, and what the page's address said besides."""

    url: str
    tail: str = ""
    commit: str | None = None
    folder: str = ""
    notes: tuple[str, ...] = ()


def as_repository(text: str) -> Page:
    """Return the repository that a page belongs to; an address that is none of the known pages stays as it is."""
    if any(ord(ch) < 33 for ch in text) or "\\" in text:
        return Page(text)
    try:
        parts = urlsplit(text)
        host, user, password, port = (parts.hostname or "").lower(), parts.username, parts.password, parts.port
    except ValueError:
        return Page(text)
    if parts.scheme not in {"http", "https"} or not host or password is not None:
        return Page(text)
    bare = host.removeprefix("www.")
    host = bare if bare in FORGES else host
    if user is not None and host not in NAMED_IN_ADDRESS:
        return Page(text)
    scheme = "https" if host in FORGES else parts.scheme
    if host == "raw.githubusercontent.com":
        found = _raw_github(parts.path)
    else:
        readers = (_azure, _gitlab, _gitea, _bitbucket, _sourcehut, _github)
        found = next((page for read in readers if (page := read(host, parts.path, parts.query))), None)
    path = (found.url if found else parts.path).rstrip("/")
    page = found or Page("")
    origin = f"{scheme}://{'github.com' if host == 'raw.githubusercontent.com' else _at(host, port)}"
    if not found and (parts.query or parts.fragment) and (scheme == "https"):
        page = replace(page, notes=("What followed ? or # in the address was left out.",))
    return replace(page, url=f"{origin}{path}" if path.strip("/") else text, folder=unquote(page.folder).strip("/"),
                   tail=unquote(page.tail).strip("/"))


def _at(host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}" if port else shown


def _of(path: str, reference: str, *, is_file: bool = False) -> Page:
    """Return a page whose path names a branch, tag or commit and then perhaps a folder, or a file in one."""
    reference = reference.strip("/")
    if is_file:
        reference = reference.rpartition("/")[0] or reference
    first, _, rest = reference.partition("/")
    if SHA.fullmatch(first):
        return Page(path, commit=first, folder=rest)
    return Page(path, tail=reference)


def _github(host: str, path: str, query: str) -> Page | None:
    del query
    parts = path.strip("/").split("/")
    if len(parts) < 3 or parts[1].endswith(".git"):
        return None
    repository, kind, rest = "/" + "/".join(parts[:2]), parts[2], "/".join(parts[3:])
    if kind in GITHUB_TREES and rest:
        return _of(repository, rest, is_file=kind in PAGES_OF_FILES)
    if kind == "commit" and rest and SHA.fullmatch(parts[3]):
        return Page(repository, commit=parts[3])
    if kind == "releases" and parts[3:4] == ["tag"] and len(parts) > 4:
        return Page(repository, tail="/".join(parts[4:]))
    if host == "github.com":
        return Page(repository, notes=(f"The page {kind!r} of the repository was left out.",))
    return None


def _raw_github(path: str) -> Page:
    owner, _, rest = path.strip("/").partition("/")
    name, _, reference = rest.partition("/")
    return _of(f"/{owner}/{name}", reference.removeprefix("refs/heads/").removeprefix("refs/tags/"), is_file=True)


def _gitlab(host: str, path: str, query: str) -> Page | None:
    del host, query
    repository, mark, rest = path.partition("/-/")
    kind, _, reference = rest.strip("/").partition("/")
    if not mark or not repository.strip("/"):
        return None
    if kind == "commit" and SHA.fullmatch(reference):
        return Page(repository, commit=reference)
    if kind in {"tree", "blob", "raw", "tags", "commits", "blame", "edit"} and reference:
        return _of(repository, reference, is_file=kind in PAGES_OF_FILES)
    return Page(repository)


def _gitea(host: str, path: str, query: str) -> Page | None:
    del host, query
    match = re.fullmatch(r"(/[^/]+/[^/]+)/(src|raw|commits)/(branch|tag|commit)/(.+)", path)
    if match is None:
        return None
    is_file = match[2] == "raw" or match[4].rpartition("/")[2].lower().endswith(".md")
    return _of(match[1], match[4], is_file=is_file)


def _bitbucket(host: str, path: str, query: str) -> Page | None:
    del query
    match = re.fullmatch(r"(/[^/]+/[^/]+)/(?:src|branch|commits|raw)(?:/(.*))?", path)
    if host != "bitbucket.org" or match is None:
        return None
    reference = match[2] or ""
    return _of(match[1], reference, is_file=reference.lower().endswith(".md"))


def _sourcehut(host: str, path: str, query: str) -> Page | None:
    del query
    match = re.fullmatch(r"(/~[^/]+/[^/]+)/(?:tree|log)(?:/([^/]+)(?:/item/(.*))?)?", path)
    if host != "git.sr.ht" or match is None:
        return None
    reference = "/".join(part for part in (match[2] or "", match[3] or "") if part)
    return _of(match[1], reference, is_file=reference.lower().endswith(".md"))


def _azure(host: str, path: str, query: str) -> Page | None:
    if "/_git/" not in path or not (host == "dev.azure.com" or host.endswith(".visualstudio.com")):
        return None
    front, _, name = path.partition("/_git/")
    said = {key: unquote(value) for key, _, value in (part.partition("=") for part in query.split("&"))}
    version, folder = said.get("version", ""), said.get("path", "").strip("/")
    page = Page(f"{front}/_git/{name.partition('/')[0]}", folder=_without_file(folder))
    if version.startswith("GC"):
        return replace(page, commit=version[2:])
    if version[:2] in {"GB", "GT"}:
        return replace(page, tail=f"{version[2:]}/{page.folder}", folder="")
    return page


def _without_file(folder: str) -> str:
    return folder.rpartition("/")[0] if folder.lower().endswith(".md") else folder
