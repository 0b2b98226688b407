"""The table of providers, read once from `providers.yaml`."""

from functools import cache
from typing import Any

from automatos.credentials.errors import UnknownProvider
from automatos.credentials.types import Provider
from automatos.kernel.shipped import read_shipped

TABLE = "providers.yaml"


@cache
def providers_by_name() -> dict[str, Provider]:
    """Return every provider by name, in the order people should see them."""
    rows: list[dict[str, Any]] = read_shipped("automatos.credentials", TABLE)
    for row in rows:
        row["model_prefixes"] = tuple(row.get("model_prefixes", ()))
    found = [Provider(**row) for row in rows]
    return {provider.name: provider for provider in found}


def find_provider(name: str) -> Provider | None:
    """Return the provider of this name, or None."""
    return providers_by_name().get(name)


@cache
def get_provider(name: str) -> Provider:
    """Return the provider of this name; the table never changes, so each is looked up once.

    Raises:
        UnknownProvider: there is none; names those that exist.
    """
    if provider := find_provider(name):
        return provider
    raise UnknownProvider(name, list(providers_by_name()))
