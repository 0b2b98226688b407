"""Words of this package: the scopes and types of settings."""

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


WORD_SETTINGS = "settings"
"""What processes hear when settings of a category have changed."""
GENERAL_CATEGORY = "orchestrator_llm"
SERVICE_CATEGORIES = {
    "orchestrator": GENERAL_CATEGORY, "heartbeat": GENERAL_CATEGORY, "complexity_assessor": GENERAL_CATEGORY,
    "codegraph": "codegraph", "document_processing": "document_processing", "chatbot": "chatbot", "rag": "rag",
    "embeddings": "embeddings", "memory_integration": "memory_integration", "nl2sql": "nl2sql",
}
"""The category of settings that each part of the product reads its model from; all others read the general one."""
MODEL_CATEGORIES = frozenset(SERVICE_CATEGORIES.values())
