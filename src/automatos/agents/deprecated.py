"""Fields that the published description calls deprecated, still taken and written under today's names."""

from collections.abc import Mapping
from typing import Any, cast

from automatos.agents.stored import MODEL_KEYS, PROVIDER_KEYS, PROVIDERS_BY_PREFIX

MODEL_NAMES = ("preferred_model", *MODEL_KEYS)
MODEL_SETTINGS = ("temperature", "max_tokens", "top_p", "frequency_penalty", "presence_penalty", "fallback_model_id")
OUT_OF_CONFIGURATION = {"tags": "tags", "category": "marketplace_category"}
"""Keys that stood inside of `configuration`, and the fields of the agent that they are now."""


def with_todays_names(data: Any) -> Any:
    """Return a body with deprecated fields under today's names; those that cannot be understood stay, to be refused.

    `preferred_model`, `llm_provider`, `temperature` and their like become `model_config` where none is given; tags and
    category inside of the configuration become the agent's own unless it names some.
    """
    if not isinstance(data, dict):
        return data
    body = dict(cast("dict[str, Any]", data))
    if isinstance(configuration := body.get("configuration"), dict):
        inside = dict(cast("dict[str, Any]", configuration))
        for key, name in OUT_OF_CONFIGURATION.items():
            if key in inside:
                body.setdefault(name, inside.pop(key))
                inside.pop(key, None)
        _move_model(inside, body)
        body["configuration"] = inside
    _move_model(body, body)
    return body


def _move_model(place: dict[str, Any], body: dict[str, Any]) -> None:
    """Take a model named the deprecated way out of its place, and write it as the body's `model_config`."""
    model_id = _first_text(place, MODEL_NAMES)
    if model_id is None or "model_config" in body:
        return
    provider = _first_text(place, PROVIDER_KEYS) or next(
        (owner for prefix, owner in PROVIDERS_BY_PREFIX.items() if model_id.startswith(prefix)), None)
    if provider is None:
        return
    settings = {name: place[name] for name in MODEL_SETTINGS if name in place}
    for name in (*MODEL_NAMES, *PROVIDER_KEYS, *settings):
        place.pop(name, None)
    body["model_config"] = {"provider": provider, "model_id": model_id, **settings}


def _first_text(place: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((value for name in names if isinstance(value := place.get(name), str) and value.strip()), None)
