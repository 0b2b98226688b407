"""Checking the fields of a credential against the JSON Schema of its type, in words that never repeat a value."""

from collections.abc import Callable, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from automatos.credentials.contents import Fields, properties_of
from automatos.credentials.errors import CredentialInvalidHere

MAX_ERRORS = 10
WORDS: dict[str, Callable[[Any], str]] = {
    "type": lambda wanted: f"must be of the type {wanted}.",
    "enum": lambda options: f"must be one of: {', '.join(map(str, options))}.",
    "const": lambda wanted: f"must be {wanted}.",
    "minLength": lambda _: "must not be empty.",
    "maxLength": lambda limit: f"must have at most {limit} characters.",
    "minimum": lambda limit: f"must be at least {limit}.",
    "maximum": lambda limit: f"must be at most {limit}.",
}


def checked_fields(schema: Mapping[str, Any], given: Mapping[str, Any]) -> Fields:
    """Return the fields to store: those given, and the defaults of those left out; null counts as left out.

    Raises:
        CredentialInvalidHere: a field is missing, unknown or of another form; names each, repeats none.
    """
    fields = {name: value for name, value in given.items() if value is not None}
    for name, about in properties_of(schema).items():
        if "default" in about:
            fields.setdefault(name, about["default"])
    found: dict[str, str] = {}
    for error in Draft202012Validator(schema).iter_errors(fields):
        for field, reason in _explain(schema, error, fields):
            found.setdefault(field, reason)
    if found:
        first, *others = list(found.items())[:MAX_ERRORS]
        raise CredentialInvalidHere(*first, *others)
    return fields


def _explain(schema: Mapping[str, Any], error: ValidationError, fields: Fields) -> list[tuple[str, str]]:
    """Say what is wrong with which field, from the schema alone."""
    known = properties_of(schema)
    if error.validator == "required":
        wanted: list[str] = error.validator_value  # pyright: ignore[reportAssignmentType]
        return [(f"data.{name}", "is missing.") for name in wanted if name not in fields]
    if error.validator == "additionalProperties":
        return [("data", f"holds a field that this type does not have. It takes: {', '.join(known)}.")]
    if error.validator == "dependentRequired":
        needs: Mapping[str, list[str]] = error.validator_value  # pyright: ignore[reportAssignmentType]
        return [(f"data.{other}", f"is needed together with {name}.")
                for name, others in needs.items() if name in fields for other in others if other not in fields]
    if error.validator == "anyOf":
        return [("data", str(schema.get("x-any-of") or "lacks a field that this type needs."))]
    name = str(error.absolute_path[0]) if error.absolute_path else ""
    about = known.get(name, {})
    if error.validator == "pattern":
        return [(f"data.{name}", str(about.get("x-pattern") or "does not have the form that this field needs."))]
    words = WORDS.get(str(error.validator))
    return [(f"data.{name}", words(error.validator_value) if words else "does not fit this field.")]
