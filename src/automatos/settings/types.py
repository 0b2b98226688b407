"""Words of this room: the scopes and types of settings."""

from enum import StrEnum
from typing import Any

JsonValue = Any


class SettingScope(StrEnum):
    """Whose a value is: the whole server's, or one workspace's, which wins there."""

    SYSTEM = "system"
    WORKSPACE = "workspace"


class ValueType(StrEnum):
    """What kind of value a setting holds."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    JSON = "json"


def type_of(value: JsonValue) -> ValueType:
    """Return the type that a JSON value has as a setting."""
    if isinstance(value, bool):
        return ValueType.BOOLEAN
    if isinstance(value, (int, float)):
        return ValueType.NUMBER
    return ValueType.STRING if isinstance(value, str) else ValueType.JSON


GENERAL_CATEGORY = "orchestrator_llm"
OWN_CATEGORIES = frozenset(
    {"codegraph", "document_processing", "chatbot", "rag", "embeddings", "memory_integration", "nl2sql"}
)
KNOWN_TYPES = {
    "llm_provider": ValueType.STRING, "llm_model": ValueType.STRING, "temperature": ValueType.NUMBER,
    "max_tokens": ValueType.NUMBER, "fallback_model": ValueType.STRING,
}
"""The types of the keys that every category about models has."""


def category_of(service: str) -> str:
    """Return the category of settings that a part of the product reads; most share the general one."""
    return service if service in OWN_CATEGORIES else GENERAL_CATEGORY
