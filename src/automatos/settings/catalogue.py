"""The table of settings that this server reads, from `catalogue.yaml`, and the check of a value against it."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from automatos.settings.errors import SettingInvalid, UnknownSetting
from automatos.settings.types import JsonValue, ValueType, type_of

ONE_PER_PROVIDER = "{provider}"


@dataclass(frozen=True, slots=True)
class KnownSetting:
    """A setting this server reads, and what it may hold; `pattern` is a regular expression with its meaning."""

    category: str
    key: str
    value_type: ValueType
    description: str
    default: JsonValue = None
    minimum: float | None = None
    maximum: float | None = None
    is_whole: bool = False
    options: tuple[JsonValue, ...] | None = None
    pattern: tuple[str, str] | None = None

    def is_named(self, key: str) -> bool:
        """Say whether a key is this setting's."""
        before, separator, after = self.key.partition(ONE_PER_PROVIDER)
        if not separator:
            return key == self.key
        return re.fullmatch(f"{re.escape(before)}[a-z0-9_]+{re.escape(after)}", key) is not None


@dataclass(frozen=True, slots=True)
class KnownCategory:
    """A category of settings this server reads."""

    name: str
    description: str
    settings: tuple[KnownSetting, ...]


@cache
def categories() -> dict[str, KnownCategory]:
    """Return every category this server reads, by name."""
    text = files("automatos.settings").joinpath("catalogue.yaml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = yaml.safe_load(text)
    return {row["name"]: _category(row) for row in rows}


def _category(row: dict[str, Any]) -> KnownCategory:
    settings = tuple(_setting(row["name"], each) for each in row["settings"])
    return KnownCategory(row["name"], row["description"], settings)


def _setting(category: str, row: dict[str, Any]) -> KnownSetting:
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType]
                             for name, value in row.items() if name != "type"}
    return KnownSetting(category=category, value_type=ValueType(row["type"]), **given)


def check(category: str, key: str, value: JsonValue) -> ValueType:
    """Return the type of a setting, or refuse its value; null is always fine, it removes what is set.

    Raises:
        UnknownSetting: the category is one this server reads, and has no such key.
        SettingInvalid: the value is of another type, out of bounds, or none of the options.
    """
    known = _find(category, key)
    found = type_of(value)
    if known is None:
        return found
    if value is None:
        return known.value_type
    if found is not known.value_type and known.value_type is not ValueType.JSON:
        raise SettingInvalid(category, key, f"must be a {known.value_type.value}, not a {found.value}.")
    if known.options is not None and value not in known.options:
        raise SettingInvalid(category, key, f"must be one of: {', '.join(map(str, known.options))}.")
    if known.value_type is ValueType.NUMBER:
        _check_number(known, key, value)
    if found is ValueType.STRING and not value.strip():
        raise SettingInvalid(category, key, "must not be empty; null removes it.")
    if known.pattern is not None and not re.fullmatch(known.pattern[0], value):
        raise SettingInvalid(category, key, f"must be {known.pattern[1]}.")
    return known.value_type


def _check_number(known: KnownSetting, key: str, value: float) -> None:
    if known.is_whole and not float(value).is_integer():
        raise SettingInvalid(known.category, key, "must be a whole number.")
    if known.minimum is not None and value < known.minimum:
        raise SettingInvalid(known.category, key, f"must be at least {known.minimum:g}.")
    if known.maximum is not None and value > known.maximum:
        raise SettingInvalid(known.category, key, f"must be at most {known.maximum:g}.")


def _find(category: str, key: str) -> KnownSetting | None:
    """Return what is known of a setting, None for categories that are free."""
    if (found := categories().get(category)) is None:
        return None
    for setting in found.settings:
        if setting.is_named(key):
            return setting
    raise UnknownSetting(category, key, [setting.key for setting in found.settings])
