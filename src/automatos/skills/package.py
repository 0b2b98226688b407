"""A skill as a folder of files, read and checked without touching anything: the Agent Skills format, held to limits.

Stricter than the format on purpose: sizes and numbers of files, paths, text that cannot be stored, `metadata` that is
not a map of texts.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, cast

from automatos.kernel.tokens import estimate_tokens
from automatos.skills import front_matter
from automatos.skills.front_matter import FrontMatterInvalid
from automatos.skills.paths import path_fault
from automatos.skills.tool_schema import FILE as TOOLS_FILE
from automatos.skills.tool_schema import read_tools
from automatos.skills.types import FileKind, JsonObject, SkillCategory, SkillKind

MAIN_FILES = ("SKILL.md", "skill.md")
FIELDS = frozenset({"name", "description", "license", "compatibility", "metadata", "allowed-tools"})
MAX_NAME, MAX_DESCRIPTION, MAX_COMPATIBILITY = 64, 1024, 500
MAX_SKILLS = 200
MAX_FILES, MAX_FILE_BYTES, MAX_TOTAL_BYTES = 500, 1024 * 1024, 10 * 1024 * 1024
KINDS = MappingProxyType({
    "scripts": FileKind.SCRIPT, "references": FileKind.REFERENCE, "assets": FileKind.ASSET,
})


@dataclass(frozen=True, slots=True)
class Package:
    """A skill that can be stored: `content` is its whole SKILL.md, `files` are those beside it."""

    folder: str
    name: str
    description: str
    content: str
    body: str
    metadata: JsonObject
    files: Mapping[str, bytes]
    tools: list[JsonObject]
    category: SkillCategory
    skill_type: SkillKind
    tags: list[str]

    @property
    def core_tokens(self) -> int:
        """How long the instructions are, by estimate."""
        return estimate_tokens(self.body)


@dataclass(frozen=True, slots=True)
class Checked:
    """What one folder holds: its skill, or every fault that keeps it from being one."""

    folder: str
    package: Package | None
    problems: list[str]


@dataclass(frozen=True, slots=True)
class _Draft:
    """A folder with its SKILL.md read, before it is judged."""

    folder: str
    fields: Mapping[str, Any]
    body: str
    files: Mapping[str, bytes]


def kind_of(path: str) -> FileKind:
    """Return what a file of a skill is for, by its folder."""
    return KINDS.get(path.partition("/")[0], FileKind.OTHER) if "/" in path else FileKind.OTHER


def find_skills(files: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
    """Return every folder with a SKILL.md and its files by path inside it; a skill inside a skill is one of its own."""
    folders = {str(PurePosixPath(path).parent) for path in files if PurePosixPath(path).name in MAIN_FILES}
    found: dict[str, dict[str, bytes]] = {"" if folder == "." else folder: {} for folder in sorted(folders)}
    for path, content in files.items():
        owner = next((str(up) for up in PurePosixPath(path).parents if str(up) in folders), None)
        if owner is not None:
            inside = path if owner == "." else path[len(owner) + 1:]
            found["" if owner == "." else owner][inside] = content
    return found


def check_packages(files: Mapping[str, bytes]) -> list[Checked]:
    """Read every folder with a SKILL.md; takes a few seconds for the largest sets, so call it in a thread."""
    found = find_skills(files)
    if len(found) > MAX_SKILLS:
        return [Checked("", None, [f"There are {len(found)} skills; {MAX_SKILLS} are taken at once."])]
    return [check_package(folder, inside) for folder, inside in found.items()]


def check_package(folder: str, files: Mapping[str, bytes]) -> Checked:
    """Read one skill's folder; `folder` is its path, empty where it has none and its name says it all."""
    main = next((name for name in MAIN_FILES if name in files), None)
    if main is None:
        return Checked(folder, None, ["There is no SKILL.md in the folder."])
    beside = {path: content for path, content in files.items() if path != main}
    if faults := [fault for check in FILE_CHECKS for fault in check(files)]:
        return Checked(folder, None, faults)
    try:
        content = _text(files[main])
        head, body = front_matter.split(content)
        draft = _Draft(folder, front_matter.read(head), body, beside)
    except FrontMatterInvalid as error:
        return Checked(folder, None, [str(error)])
    faults = [fault for check in FIELD_CHECKS for fault in check(draft)]
    name = _name(draft) if isinstance(draft.fields.get("name"), str) else ""
    tools, tool_faults = read_tools(beside[TOOLS_FILE], name, beside) if TOOLS_FILE in beside else ([], [])
    if faults or tool_faults:
        return Checked(folder, None, faults + tool_faults)
    return Checked(folder, _package(draft, content, tools), [])


def digest_of(content: str, files: Mapping[str, bytes]) -> str:
    """Return the digest of a skill's whole content; equal ones are the same skill."""
    digest = hashlib.sha256()
    for path, data in [("SKILL.md", content.encode()), *sorted(files.items())]:
        digest.update(f"{len(path.encode())}:{path}:{len(data)}:".encode() + data)
    return digest.hexdigest()


def _package(draft: _Draft, content: str, tools: list[JsonObject]) -> Package:
    fields = draft.fields
    extra: dict[str, str] = fields.get("metadata", {})
    allowed = fields.get("allowed-tools", [])
    metadata = {
        "license": fields.get("license"), "compatibility": fields.get("compatibility"),
        "allowed_tools": allowed.split() if isinstance(allowed, str) else allowed, "metadata": extra,
        "digest": digest_of(content, draft.files),
    }
    return Package(
        folder=draft.folder, name=_name(draft), description=fields["description"].strip(), content=content,
        body=draft.body, metadata=metadata, files=draft.files, tools=tools,
        category=_one_of(SkillCategory, extra.get("category"), SkillCategory.DEVELOPMENT),
        skill_type=_one_of(SkillKind, extra.get("skill-type"), SkillKind.TECHNICAL),
        tags=list(dict.fromkeys(tag.strip().lower() for tag in extra.get("tags", "").split(",") if tag.strip()))[:50],
    )


def _one_of(words: Callable[[str], Any], given: str | None, otherwise: Any) -> Any:
    """Return the word a skill's free metadata names, or the usual one where it means something else by it."""
    try:
        return words((given or "").strip().lower())
    except ValueError:
        return otherwise


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FrontMatterInvalid("SKILL.md is not UTF-8 text.") from error
    if "\x00" in text:
        raise FrontMatterInvalid("SKILL.md has a NUL character in it.")
    return text


def _name(draft: _Draft) -> str:
    return unicodedata.normalize("NFKC", str(draft.fields["name"]).strip())


def _check_number(files: Mapping[str, bytes]) -> Iterator[str]:
    if len(files) > MAX_FILES:
        yield f"It has {len(files)} files; {MAX_FILES} are taken."
    if sum(map(len, files.values())) > MAX_TOTAL_BYTES:
        yield f"Its files are larger than {MAX_TOTAL_BYTES} bytes together."


def _check_files(files: Mapping[str, bytes]) -> Iterator[str]:
    for path, content in files.items():
        if fault := path_fault(path):
            yield f"The file {path[:200]!r} was refused: {fault}."
        if len(content) > MAX_FILE_BYTES:
            yield f"The file {path[:200]!r} is larger than {MAX_FILE_BYTES} bytes."


def _check_fields(draft: _Draft) -> Iterator[str]:
    if unknown := sorted(set(draft.fields) - FIELDS):
        yield f"The front matter has unknown fields: {', '.join(unknown)[:300]}. Known: {', '.join(sorted(FIELDS))}."


def _check_text(draft: _Draft) -> Iterator[str]:
    for name, value in draft.fields.items():
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        if any("\x00" in str(part) or any("\ud800" <= ch <= "\udfff" for ch in str(part)) for part in parts):
            yield f"{name}: it has a NUL character or a lone surrogate in it."


def _check_name(draft: _Draft) -> Iterator[str]:
    given = draft.fields.get("name")
    if not isinstance(given, str) or not given.strip():
        yield "name: it is required, as text."
        return
    name = _name(draft)
    if len(name) > MAX_NAME:
        yield f"name: it has {len(name)} characters; {MAX_NAME} are taken."
    if name != name.lower() or not all(ch.isalnum() or ch == "-" for ch in name):
        yield f"name: {name[:100]!r} may hold lower-case letters, digits and hyphens only."
    if name.startswith("-") or name.endswith("-") or "--" in name:
        yield f"name: {name[:100]!r} may not begin or end with a hyphen, nor have two in a row."
    folder = unicodedata.normalize("NFKC", PurePosixPath(draft.folder).name)
    if folder and folder != name:
        yield f"name: {name[:100]!r} is not the name of its folder, {folder[:100]!r}."


def _check_description(draft: _Draft) -> Iterator[str]:
    given = draft.fields.get("description")
    if not isinstance(given, str) or not given.strip():
        yield "description: it is required, as text."
    elif len(given) > MAX_DESCRIPTION:
        yield f"description: it has {len(given)} characters; {MAX_DESCRIPTION} are taken."


def _check_optional(draft: _Draft) -> Iterator[str]:
    compatibility, license_text = draft.fields.get("compatibility", ""), draft.fields.get("license", "")
    if not isinstance(compatibility, str) or len(compatibility) > MAX_COMPATIBILITY:
        yield f"compatibility: it must be text of at most {MAX_COMPATIBILITY} characters."
    if not isinstance(license_text, str):
        yield "license: it must be text."
    extra = draft.fields.get("metadata", {})
    if not isinstance(extra, dict) or not all(isinstance(v, str) for v in cast("dict[str, Any]", extra).values()):
        yield "metadata: it must be a map from text to text."
    allowed = draft.fields.get("allowed-tools", [])
    if not isinstance(allowed, str) and not (
            isinstance(allowed, list) and all(isinstance(one, str) for one in cast("list[Any]", allowed))):
        yield "allowed-tools: it must be text, or a list of texts."


FILE_CHECKS: tuple[Callable[[Mapping[str, bytes]], Iterator[str]], ...] = (_check_number, _check_files)
FIELD_CHECKS: tuple[Callable[[_Draft], Iterator[str]], ...] = (
    _check_fields, _check_text, _check_name, _check_description, _check_optional,
)
