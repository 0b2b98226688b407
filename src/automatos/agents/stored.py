"""What older versions stored, and fields that are deprecated: understood as today's, and never written again."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from automatos.agents.configuration import ModelSettings
from automatos.agents.types import AgentConfiguration
from automatos.kernel.schemas import Body
from automatos.llm.service import provider_by_model, provider_of_old

Settings = TypeVar("Settings", bound=Body)

MODEL_KEYS = ("model_id", "model", "llm_model", "model_name")
PROVIDER_KEYS = ("provider", "llm_provider", "model_provider")


def settings_of(stored: Mapping[str, Any]) -> AgentConfiguration:
    """Return a stored configuration with every setting of today and nothing else.

    Settings that are missing, or have a value that is no longer allowed, have their default; others' keys, such as
    tags or a model of older versions, are left out.
    """
    return _valid_part(AgentConfiguration, stored)


def configuration_of(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `settings_of` does, as it is stored."""
    return settings_of(stored).model_dump(mode="json")


def model_settings_of(stored: Mapping[str, Any] | None, configuration: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return an agent's model settings, from their own column or from where older versions kept them.

    None means that the agent names no model.
    """
    for place in (stored or {}, configuration.get("model_config"), configuration):
        if isinstance(place, Mapping) and (found := _model_in(place)):
            return found
    return None


def _model_in(place: Mapping[str, Any]) -> dict[str, Any] | None:
    model_id = _first_text(place, MODEL_KEYS)
    if model_id is None:
        return None
    provider = _first_text(place, PROVIDER_KEYS) or provider_of_old(model_id)
    if provider is None:
        return None
    named = {**place, "provider": provider, "model_id": model_id}
    try:
        return _valid_part(ModelSettings, named).model_dump(mode="json")
    except ValidationError:
        return None


def _first_text(place: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((value for key in keys if isinstance(value := place.get(key), str) and value.strip()), None)


def _valid_part(kind: type[Settings], stored: Mapping[str, Any]) -> Settings:
    """Return what is stored as this kind, without the fields whose values it refuses."""
    known = {name: stored[name] for name in kind.model_fields if name in stored}
    try:
        return kind.model_validate(known)
    except ValidationError as error:
        refused = {str(fault["loc"][0]) for fault in error.errors() if fault["loc"]}
        return kind.model_validate({name: value for name, value in known.items() if name not in refused})


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
    provider = _first_text(place, PROVIDER_KEYS) or provider_by_model(model_id)
    if provider is None:
        return
    settings = {name: place[name] for name in MODEL_SETTINGS if name in place}
    for name in (*MODEL_NAMES, *PROVIDER_KEYS, *settings):
        place.pop(name, None)
    body["model_config"] = {"provider": provider, "model_id": model_id, **settings}
