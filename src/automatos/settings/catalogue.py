"""The table of settings that this server reads, from `catalogue.yaml`, and the check of a value against it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from automatos.kernel.shipped import read_shipped
from automatos.settings.errors import SettingInvalid, UnknownSetting
from automatos.settings.types import JsonValue, ValueType, type_of

ONE_PER_PROVIDER = "{provider}"
Choices = Mapping[str, Sequence[str]]
"""Lists that other packages keep and settings choose from, by the name the catalogue gives them."""


@dataclass(frozen=True, slots=True)
class KnownSetting:
    """A setting this server knows, and what it may hold; `pattern` is a regular expression with its meaning.

    `choices` names a list that another package keeps, such as the providers of models; settings with one `choice` are
    one choice, such as a provider and its model; `is_read` is false where nothing reads the setting yet.
    """

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
    choices: str | None = None
    choice: str | None = None
    is_read: bool = True

    def is_named(self, key: str) -> bool:
        """Say whether a key is this setting's."""
        before, separator, after = self.key.partition(ONE_PER_PROVIDER)
        if not separator:
            return key == self.key
        return re.fullmatch(f"{re.escape(before)}[a-z0-9_]+{re.escape(after)}", key) is not None


@dataclass(frozen=True, slots=True)
class KnownCategory:
    """A category of settings this server knows; nothing reads one that is not `is_read` yet."""

    name: str
    description: str
    is_read: bool
    settings: tuple[KnownSetting, ...]


@cache
def categories() -> dict[str, KnownCategory]:
    """Return every category this server reads, by name."""
    rows: list[dict[str, Any]] = read_shipped("automatos.settings", "catalogue.yaml")
    return {row["name"]: _category(row) for row in rows}


def _category(row: dict[str, Any]) -> KnownCategory:
    is_read = row.get("is_read", True)
    settings = tuple(_setting(row["name"], {**each, "is_read": is_read}) for each in row["settings"])
    return KnownCategory(row["name"], row["description"], is_read, settings)


def _setting(category: str, row: dict[str, Any]) -> KnownSetting:
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType]
                             for name, value in row.items() if name != "type"}
    return KnownSetting(category=category, value_type=ValueType(row["type"]), **given)


def choices_of(category: str) -> list[frozenset[str]]:
    """Return the keys of a category that are one choice, together."""
    known = found.settings if (found := categories().get(category)) else ()
    return [frozenset(each.key for each in known if each.choice == name)
            for name in {each.choice for each in known if each.choice}]


def leader_of(category: str, key: str) -> str | None:
    """Return the setting that this one means nothing without, as a model without its provider; else None."""
    known = found.settings if (found := categories().get(category)) else ()
    choice = next((each.choice for each in known if each.key == key), None)
    leader = next((each.key for each in known if choice and each.choice == choice), key)
    return None if leader == key else leader


def followers_of(category: str, key: str) -> list[str]:
    """Return the settings that mean nothing without this one."""
    known = found.settings if (found := categories().get(category)) else ()
    return [each.key for each in known if leader_of(category, each.key) == key]


def check(
    category: str, key: str, value: JsonValue, *, declared: ValueType | None = None, choices: Choices | None = None
) -> ValueType:
    """Return the type of a setting, or refuse its value; null is always fine, it removes what is set.

    `declared` is the type that a setting of a free category has or is to have; `choices` the lists that settings name.

    Raises:
        UnknownSetting: the category is one this server reads, and has no such key.
        SettingInvalid: the value is of another type, out of bounds, or none of the options.
    """
    known = _find(category, key)
    found = type_of(value)
    if known is None:
        return _fitting(category, key, found, declared or found, value)
    if declared not in (None, known.value_type):
        raise SettingInvalid(category, key, f"is a {known.value_type.value}; its type cannot be changed.")
    if value is None:
        return known.value_type
    if found is not known.value_type and known.value_type is not ValueType.JSON:
        raise SettingInvalid(category, key, f"must be a {known.value_type.value}, not a {found.value}.")
    options = known.options or ((choices or {}).get(known.choices) if known.choices else None)
    if options is not None and value not in options:
        raise SettingInvalid(category, key, f"must be one of: {', '.join(map(str, options))}.")
    if known.value_type is ValueType.NUMBER:
        _check_number(known, key, value)
    if found is ValueType.STRING and not value.strip():
        raise SettingInvalid(category, key, "must not be empty; null removes it.")
    if known.pattern is not None and not re.fullmatch(known.pattern[0], value):
        raise SettingInvalid(category, key, f"must be {known.pattern[1]}.")
    return known.value_type


def _fitting(category: str, key: str, found: ValueType, declared: ValueType, value: JsonValue) -> ValueType:
    """Return the declared type of a setting in a free category; JSON holds anything, the others their own kind."""
    if value is not None and declared is not ValueType.JSON and found is not declared:
        raise SettingInvalid(
            category, key, f"is a {declared.value}; to make it a {found.value}, say so with value_type.")
    return declared


def _check_number(known: KnownSetting, key: str, value: float) -> None:
    if known.is_whole and not float(value).is_integer():
        raise SettingInvalid(known.category, key, "must be a whole number.")
    if known.minimum is not None and value < known.minimum:
        raise SettingInvalid(known.category, key, f"must be at least {known.minimum:g}.")
    if known.maximum is not None and value > known.maximum:
        raise SettingInvalid(known.category, key, f"must be at most {known.maximum:g}.")


def find_known(category: str, key: str) -> KnownSetting:
    """Return a setting this server reads; raises UnknownSetting, also for a key of a free category."""
    if known := _find(category, key):
        return known
    raise UnknownSetting(category, key, [])


def _find(category: str, key: str) -> KnownSetting | None:
    """Return what is known of a setting, None for categories that are free."""
    if (found := categories().get(category)) is None:
        return None
    for setting in found.settings:
        if setting.is_named(key):
            return setting
    raise UnknownSetting(category, key, [setting.key for setting in found.settings])
