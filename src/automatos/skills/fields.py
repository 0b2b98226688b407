"""What the head of a SKILL.md means here: its fields read leniently, and every difference from the format as a note."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, cast

from automatos.skills.types import JsonObject, SkillCategory, SkillKind

FIELDS = frozenset({"name", "description", "license", "compatibility", "metadata", "allowed-tools"})
BY_MODEL, BY_PEOPLE, ARGUMENTS = "disable-model-invocation", "user-invocable", "argument-hint"
MAX_NAME, MAX_DESCRIPTION, MAX_COMPATIBILITY = 64, 1024, 500
MAX_HINT, MAX_TAGS, MAX_TAG = 200, 50, 100
YES, NO = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
TOOL = re.compile(r"(?:[^\s,()]|\([^)]*\)?)+")
NOT_IN_NAMES = re.compile(r"[\W_]+")


@dataclass(slots=True)
class Read:
    """A skill's fields as they count here."""

    name: str = ""
    description: str = ""
    metadata: JsonObject = field(default_factory=dict[str, Any])
    category: SkillCategory = SkillCategory.DEVELOPMENT
    skill_type: SkillKind = SkillKind.TECHNICAL
    tags: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    problems: list[str] = field(default_factory=list[str])


def read_fields(fields: Mapping[str, Any], folder: str, body: str, otherwise: str = "") -> Read:
    """Return what a head says; `otherwise` names a skill that neither its head nor its folder names."""
    found = Read()
    clean: dict[str, Any] = _storable(fields)
    if clean != fields:
        found.notes.append("The front matter has a NUL character or half a character in it, which was left out.")
    if otherwise_written := {name: name.lower() for name in clean if name.lower() in FIELDS - clean.keys()}:
        clean = {otherwise_written.get(name, name): value for name, value in clean.items()}
        found.notes.append(f"The front matter writes {', '.join(sorted(otherwise_written))} in capitals; the format's "
                           "fields are in small letters.")
    _read_name(found, clean.get("name"), folder, body, otherwise)
    _read_description(found, clean.get("description"), body)
    extra = _read_metadata(found, clean)
    if unknown := sorted(set(clean) - FIELDS):
        found.notes.append(f"The front matter has fields that the format does not know, which are kept: "
                           f"{', '.join(unknown)[:300]}.")
    found.metadata |= {"fields": {name: clean[name] for name in unknown}, "invocation": _invocation(clean)}
    found.category = _one_of(SkillCategory, extra.get("category"), SkillCategory.DEVELOPMENT)
    found.skill_type = _one_of(SkillKind, extra.get("skill-type"), SkillKind.TECHNICAL)
    found.tags = _tags(extra.get("tags"))
    return found


def as_name(text: str) -> str:
    """Return a text as a skill can be called, or nothing where no letter or digit is in it."""
    plain = NOT_IN_NAMES.sub("-", unicodedata.normalize("NFKC", text).lower()).strip("-")
    return plain[:MAX_NAME].strip("-")


def _read_name(found: Read, given: Any, folder: str, body: str, otherwise: str) -> None:
    own = unicodedata.normalize("NFKC", PurePosixPath(folder).name)
    written = unicodedata.normalize("NFKC", given.strip()) if isinstance(given, str) else ""
    found.name = as_name(written)
    if not found.name:
        heading = next((line.lstrip("# ") for line in body.split("\n") if line.startswith("#")), "")
        found.name = next((name for name in map(as_name, (own, otherwise, heading)) if name), "")
        if not found.name:
            found.problems.append("name: it has none, and neither its folder nor a heading gives it one.")
            return
        found.notes.append(f"name: it has none of its own, so it is called {found.name!r}.")
    elif found.name != written:
        found.notes.append(
            f"name: {written[:100]!r} may hold at most {MAX_NAME} lower-case letters, digits and single hyphens; it is "
            f"called {found.name!r} here.")
    if own and own != written and written:
        found.notes.append(f"name: {written[:100]!r} is not the name of its folder, {own[:100]!r}.")


def _read_description(found: Read, given: Any, body: str) -> None:
    text = given.strip() if isinstance(given, str) else _joined(given)
    if given is not None and not isinstance(given, str):
        found.notes.append("description: it is not one text; its parts were joined.")
    if not text:
        text = _first_words(body)
        if text:
            found.notes.append("description: it has none, so its first words stand for it.")
        elif body.strip():
            text = found.name
            found.notes.append("description: it has none, so its name stands for it.")
        else:
            found.problems.append("description: it has none, and there are no instructions.")
    if len(text) > MAX_DESCRIPTION:
        found.notes.append(f"description: it has {len(text)} characters; the first {MAX_DESCRIPTION} are shown to "
                           "agents.")
        text = text[:MAX_DESCRIPTION - 1].rstrip() + "…"
    found.description = text


def _first_words(body: str) -> str:
    """Return the first paragraph that is prose, else the first heading."""
    parts = [part.strip() for part in re.split(r"\n[ \t]*\n", re.sub(r"^(```|~~~).*?^\1", "", body,
                                                                     flags=re.DOTALL | re.MULTILINE))]
    prose = next((part for part in parts if part and not part.startswith(("#", "<!--", "|", "---"))), "")
    heading = next((part.split("\n")[0].lstrip("# ") for part in parts if part.startswith("#")), "")
    return " ".join((prose or heading).split())


def _joined(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}: {_joined(part)}" for name, part in cast("dict[str, Any]", value).items())
    if isinstance(value, list):
        return " ".join(map(_joined, cast("list[Any]", value)))
    return str(value) if value is not None else ""


def _read_metadata(found: Read, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("license", "compatibility"):
        if not isinstance(fields.get(name, ""), str):
            found.notes.append(f"{name}: it is not text.")
    if len(_joined(fields.get("compatibility"))) > MAX_COMPATIBILITY:
        found.notes.append(f"compatibility: it has more than {MAX_COMPATIBILITY} characters.")
    extra = fields.get("metadata", {})
    if not isinstance(extra, dict):
        if extra:
            found.notes.append("metadata: it is not a map from text to text.")
        extra = {}
    elif not all(isinstance(part, str) for part in cast("dict[str, Any]", extra).values()):
        found.notes.append("metadata: it is not a map from text to text.")
    allowed = fields.get("allowed-tools", [])
    if isinstance(allowed, dict) or (isinstance(allowed, list) and not all(
            isinstance(one, str) for one in cast("list[Any]", allowed))):
        found.notes.append("allowed-tools: it is neither text nor a list of texts.")
    tools = TOOL.findall(allowed) if isinstance(allowed, str) else [_joined(one) for one in cast("list[Any]", allowed)]
    found.metadata |= {
        "license": fields.get("license"), "compatibility": fields.get("compatibility"), "allowed_tools": tools,
        "metadata": extra,
    }
    return cast("Mapping[str, Any]", extra)


def _invocation(fields: Mapping[str, Any]) -> JsonObject:
    """Return who may call a skill up, and what to write behind its name; what is not said is allowed."""
    hint = fields.get(ARGUMENTS)
    shown = f"[{', '.join(map(_joined, hint))}]" if isinstance(hint, list) else _joined(hint)
    return {"by_model": _word(fields.get(BY_MODEL)) not in YES, "by_people": _word(fields.get(BY_PEOPLE)) not in NO,
            "argument_hint": " ".join(shown.split())[:MAX_HINT]}


def _word(value: Any) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


def _tags(given: Any) -> list[str]:
    parts = given.split(",") if isinstance(given, str) else map(_joined, given) if isinstance(given, list) else ()
    return list(dict.fromkeys(tag.strip().lower()[:MAX_TAG] for tag in parts if tag.strip()))[:MAX_TAGS]


def _one_of(words: Any, given: Any, otherwise: Any) -> Any:
    """Return the word a skill's free metadata names, or the usual one where it means something else by it."""
    try:
        return words(_word(given))
    except ValueError:
        return otherwise


def _storable(value: Any) -> Any:
    """Return a value without the characters that no database stores."""
    if isinstance(value, str):
        return UNSTORABLE.sub("", value)
    if isinstance(value, list):
        return [_storable(part) for part in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {_storable(name): _storable(part) for name, part in cast("dict[str, Any]", value).items()}
    return value
