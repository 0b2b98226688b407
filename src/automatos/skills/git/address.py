"""Which repositories may be read: the form of their addresses and of the names of their branches."""

import ipaddress
import re

from yarl import URL

from automatos.kernel.http import is_public
from automatos.skills.errors import GitRefused

ODD = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]")


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
        raise _refused("it has a user name or password in it; leave them out")
    if not host or url.query_string or url.fragment or not url.path.strip("/"):
        raise _refused("it must name a host and a path, and nothing after the path")
    if ".." in text.split("/") or "%" in text:
        raise _refused("its path has '..' or an escaped character in it")
    if not allow_private and not _may_be_public(host):
        raise _refused(f"{host[:200]} is a private or internal address")
    return url.with_path(url.path.rstrip("/"))


def check_branch(name: str) -> str:
    """Return the name of a branch or tag, if git would take it.

    Raises:
        GitRefused: it breaks a rule of `git check-ref-format`, or looks like an option.
    """
    parts = name.split("/")
    is_odd = (
        name.startswith("-") or name == "@" or ODD.search(name) is not None or ".." in name or "@{" in name
        or name.endswith(".") or any(not part or part.startswith(".") or part.endswith(".lock") for part in parts)
    )
    if is_odd or not name.isprintable():
        raise GitRefused(f"branch: {name[:100]!r} is not a name that git gives a branch or tag.", field="branch")
    return name


def name_of(url: URL) -> str:
    """Return what people would call a repository: the last two parts of its path."""
    parts = [part for part in url.path.removesuffix(".git").split("/") if part]
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
