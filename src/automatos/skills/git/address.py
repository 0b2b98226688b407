"""Which repositories may be read: the form of their addresses and of the names of their branches."""

import ipaddress
import re
from dataclasses import dataclass

from yarl import URL

from automatos.kernel.http import is_public
from automatos.skills.errors import GitRefused
from automatos.skills.git.pages import as_repository
from automatos.skills.paths import path_fault

ODD = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]")
SSH_SHORT = re.compile(r"(?:ssh://)?git@([A-Za-z0-9.-]+)(?::(?!\d+/)|/)([^\s].*)")
NO_SCHEME = re.compile(r"(?:www\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+/[^\s]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """A repository to read, and what its address said besides.

    `tail` is a branch or tag and perhaps a folder behind it: only the repository's names tell where one ends.
    """

    url: URL
    tail: str = ""
    commit: str | None = None
    folder: str = ""
    notes: tuple[str, ...] = ()


def read_address(text: str, *, allow_private: bool) -> Address:
    """Return the repository that an address means, also one copied from a browser or meant for ssh.

    Raises:
        GitRefused: as `check_address`.
    """
    text, notes = text.strip(" "), list[str]()
    if match := SSH_SHORT.fullmatch(text):
        text = f"https://{match[1]}/{match[2].removeprefix('~/')}"
        notes.append("The address was meant for ssh; it is read over https.")
    elif NO_SCHEME.fullmatch(text):
        text = f"https://{text}"
    found = as_repository(text)
    url = check_address(found.url, allow_private=allow_private)
    return Address(url, found.tail, found.commit, check_folder(found.folder), (*notes, *found.notes))


def check_address(text: str, *, allow_private: bool) -> URL:
    """Return a repository's address, without a slash at its end.

    `allow_private` lifts the rule against private addresses, and lets this machine answer over plain http: for
    development.

    Raises:
        GitRefused: another scheme than https, credentials in it, a private address, or not an address at all.
    """
    if text != text.strip() or text.startswith("-") or any(ord(ch) < 33 or ord(ch) > 126 for ch in text):
        raise _refused("it begins with a dash, or has spaces, control or non-ASCII characters in it")
    if "::" in text.partition("/")[0]:
        raise _refused("it names a transport helper; only https:// is read")
    try:
        url = URL(text)
        host, user, password, _ = url.host, url.user, url.password, url.port
    except ValueError as error:
        raise _refused("it is not an address") from error
    if url.scheme != "https" and not (allow_private and url.scheme == "http" and _is_loopback(host or "")):
        raise _refused("only https:// is read, not files, ssh, git:// or http://")
    if user is not None or password is not None:
        raise _refused("it has a user name or password in it; leave them out and choose a stored credential instead")
    if not host or url.query_string or url.fragment or not url.path.strip("/"):
        raise _refused("it must name a host and a path, and nothing after the path")
    if ".." in text.split("/") or "%" in text.replace("%20", ""):
        raise _refused("its path has '..' or an escaped character in it")
    if not allow_private and not _may_be_public(host):
        raise _refused(f"{host[:200]} is a private or internal address")
    return url.with_path(url.path.rstrip("/"))


def check_branch(name: str) -> str:
    """Return the name of a branch or tag, if git would take it.

    Raises:
        GitRefused: it breaks a rule of `git check-ref-format`, or looks like an option.
    """
    if not is_branch(name):
        raise GitRefused(f"branch: {name[:100]!r} is not a name that git gives a branch or tag.", field="branch")
    return name


def is_branch(name: str) -> bool:
    """Whether git would give a branch or tag this name."""
    parts = name.split("/")
    is_odd = (
        name.startswith("-") or name == "@" or ODD.search(name) is not None or ".." in name or "@{" in name
        or name.endswith(".") or any(not part or part.startswith(".") or part.endswith(".lock") for part in parts)
    )
    return not is_odd and name.isprintable()


def check_folder(text: str) -> str:
    """Return a folder's path inside a repository, without slashes around it; raises GitRefused."""
    folder = text.strip("/")
    if folder in {"", "."}:
        return ""
    if fault := path_fault(folder):
        raise GitRefused(f"git_folder: the folder {folder[:200]!r} was refused: {fault}.", field="git_folder")
    return folder


def name_of(url: URL) -> str:
    """Return what people would call a repository: the last two parts of its path."""
    parts = [part for part in url.path.removesuffix(".git").split("/") if part not in {"", "_git"}]
    return "/".join(parts[-2:])[:200]


def _refused(why: str) -> GitRefused:
    return GitRefused(f"git_url: the address was refused: {why}.", field="git_url")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _may_be_public(host: str) -> bool:
    """Judge a host that is an IP address; a name is judged once it is resolved, at the connection."""
    try:
        return is_public(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        return host != "localhost" and not host.endswith((".localhost", ".local", ".internal"))
