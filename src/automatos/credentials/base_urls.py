"""Base URLs as people have them, put right: from a browser, a portal, a code example, with whatever came along."""

import re
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from automatos.credentials.providers import providers_by_name
from automatos.credentials.types import Provider

REQUEST_PATHS = ("/chat/completions", "/completions", "/responses", "/messages", "/models", "/embeddings")
"""Ends of addresses that requests go to; they are added to the base URL and so are no part of it."""
AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com", ".azure-api.net")
AZURE_PATH = "/openai/v1"
OTHER_HOSTS = {"api.perplexity.ai": "", "api.deepseek.com": "", "api.githubcopilot.com": "",
               "dashscope.aliyuncs.com": "/compatible-mode/v1", "dashscope-intl.aliyuncs.com": "/compatible-mode/v1"}
"""Where the API of hosts begins that are no providers of their own here."""
NEAR_NAMES = (".local", ".internal", ".lan", ".localdomain", ".home.arpa")
"""Ends of names that only one's own network knows."""
NATIVE_PORTS = frozenset({11434, 1234})
"""Where Ollama and LM Studio listen; below `/api` they speak wires of their own."""
NATIVE_PATH = re.compile(r"/api(?:/(?:chat|generate|tags|show|ps|version|embed|v0|v1)(?:/.*)?)?")
_AROUND = " \t\r\n\"'`<>\u201c\u201d\u2018\u2019"


@lru_cache(maxsize=1024)
def put_right(provider: Provider, text: str) -> str:
    """Return the base URL that a text means for a provider; what is no http(s) address comes back as it is.

    Quotes, blanks, queries and closing slashes go, and so does the path of a request. Where a path is missing, the
    provider's own or the usual /v1 is added; on the Messages wire, which adds it itself, it is taken away. Azure's
    addresses become those of its v1 API.
    """
    url = text.strip(_AROUND)
    if "://" not in url and url:
        url = f"{'http' if _is_near(url) else 'https'}://{url}"
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return url
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.password:
        return url
    path, was_cut = _without_request(re.sub(r"/{2,}", "/", parts.path).rstrip("/ "))
    if _speaks_natively(provider, parts) and NATIVE_PATH.fullmatch(path):
        path, was_cut = "", False
    return f"{parts.scheme}://{parts.netloc}{_path(provider, host, path, was_cut=was_cut)}"


def _speaks_natively(provider: Provider, parts: SplitResult) -> bool:
    try:
        return provider.name == "ollama" or parts.port in NATIVE_PORTS
    except ValueError:
        return False


def _is_near(text: str) -> bool:
    """Say whether a host without a scheme is one of the own machine or network, where nobody has certificates."""
    host = text.partition("/")[0].partition(":")[0].lower()
    return "." not in host or host.endswith(NEAR_NAMES) or host.replace(".", "").isdigit()


def _without_request(path: str) -> tuple[str, bool]:
    """Return a path without the end that a request adds, and whether there was one."""
    was_cut = False
    for _ in REQUEST_PATHS:
        found = next((end for end in REQUEST_PATHS if path.lower().endswith(end)), None)
        if found is None:
            break
        path, was_cut = path[: -len(found)].rstrip("/"), True
    return path, was_cut


def _path(provider: Provider, host: str, path: str, *, was_cut: bool) -> str:
    if provider.wire == "anthropic":
        return path.removesuffix("/v1")
    if provider.name == "azure" or host.endswith(AZURE_HOSTS[:3]):
        return path if path.lower().endswith(AZURE_PATH) else _azure_path(path)
    known = _paths_by_host()
    if host in known:
        path = path.partition("/models/")[0]
        return known[host] if known[host].startswith(path) else path
    return path if path or was_cut else "/v1"


@lru_cache(maxsize=1)
def _paths_by_host() -> dict[str, str]:
    """Return where the API of every known host begins, whichever provider an address is entered for."""
    own = (urlsplit(provider.base_url or "") for provider in providers_by_name().values()
           if provider.wire != "anthropic" and not provider.is_local)
    return {parts.hostname: parts.path for parts in own if parts.hostname} | OTHER_HOSTS


def _azure_path(path: str) -> str:
    """Return the path of Azure's v1 API, behind whatever stands before its own part of an address."""
    lowered = path.lower()
    cut = min((at for mark in ("/openai", "/models", "/api/projects") if (at := lowered.find(mark)) >= 0), default=-1)
    return (path[:cut] if cut >= 0 else path.removesuffix("/v1")) + AZURE_PATH
