"""A skill as a folder of files, read and judged without touching anything.

What comes from elsewhere is read leniently: a problem keeps a skill from being used, a note tells where it differs from
the Agent Skills format. A skill without notes conforms. Sizes, numbers and paths are bounded.
"""

import codecs
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from types import MappingProxyType

from automatos.kernel.confined import comes_back
from automatos.kernel.tokens import estimate_tokens
from automatos.skills import front_matter
from automatos.skills.fields import MAX_NAME, as_name, read_fields
from automatos.skills.front_matter import FrontMatterInvalid
from automatos.skills.paths import path_fault, twins
from automatos.skills.tool_schema import FILE as TOOLS_FILE
from automatos.skills.tool_schema import read_tools
from automatos.skills.types import FileKind, Fitness, JsonObject, SkillCategory, SkillKind

MAIN_FILE = "SKILL.md"
MAX_SKILLS = 2_000
MAX_FILES, MAX_FILE_BYTES, MAX_TOTAL_BYTES = 500, 1024 * 1024, 10 * 1024 * 1024
SHOWN_LEFT_OUT = 50
LARGE_FILE_POINTER = b"version https://git-lfs.github.com/spec/"
LARGE_FILE_POINTER_BYTES = 1024
KINDS = MappingProxyType({
    "scripts": FileKind.SCRIPT, "references": FileKind.REFERENCE, "assets": FileKind.ASSET,
})
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@comes_back
@dataclass(frozen=True, slots=True)
class Package:
    """A skill that can be stored: `content` is its whole SKILL.md as it was written, `files` are those beside it."""

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


@comes_back
@dataclass(frozen=True, slots=True)
class Checked:
    """What one folder holds: its skill with what is odd about it, or every problem that keeps it from being one.

    `left_out` says of files by path why the skill goes without them.
    """

    folder: str
    package: Package | None
    problems: list[str]
    notes: list[str] = field(default_factory=list[str])
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def verdict(self) -> Fitness:
        """How far the skill can be used."""
        if self.package is None:
            return Fitness.UNUSABLE
        return Fitness.USABLE if self.notes else Fitness.CONFORMS


def kind_of(path: str) -> FileKind:
    """Return what a file of a skill is for, by its folder."""
    return KINDS.get(path.partition("/")[0], FileKind.OTHER) if "/" in path else FileKind.OTHER


def is_main(name: str) -> bool:
    """Whether a file of this name makes its folder a skill, however its letters are written."""
    return name.lower() == MAIN_FILE.lower()


def find_skills(files: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
    """Return every folder with a SKILL.md and its files by path inside it; a skill inside a skill is one of its own."""
    found: dict[str, dict[str, bytes]] = {folder: {} for folder in sorted(_folders(files))}
    for path, content in files.items():
        owner = owner_of(path, found)
        if owner is not None:
            found[owner][path[len(owner) + 1:] if owner else path] = content
    return found


def _folders(paths: Mapping[str, bytes]) -> set[str]:
    return {"" if str(path.parent) == "." else str(path.parent)
            for path in map(PurePosixPath, paths) if is_main(path.name)}


def owner_of(path: str, folders: Mapping[str, object] | set[str]) -> str | None:
    """Return the innermost skill's folder that a file lies in; the empty text is the top."""
    parents = ("" if str(up) == "." else str(up) for up in PurePosixPath(path).parents)
    return next((folder for folder in parents if folder in folders), None)


def check_packages(
    files: Mapping[str, bytes], left_out: Mapping[str, str] | None = None, otherwise: str = ""
) -> list[Checked]:
    """Read every folder with a SKILL.md; takes a few seconds for the largest sets, so call it in a thread.

    `left_out` says of files that could not be read why, `otherwise` names a skill at the top that has no name.
    """
    found, missing = find_skills(files), left_out or {}
    skills = sorted(found.items(), key=lambda item: _nearness(item[0]))
    gone: dict[str, dict[str, str]] = {}
    for path, reason in missing.items():
        if (owner := owner_of(path, found)) is not None:
            gone.setdefault(owner, {})[path[len(owner) + 1:] if owner else path] = reason
    checked = [check_package(folder, inside, gone.get(folder), otherwise) for folder, inside in skills[:MAX_SKILLS]]
    checked += [Checked(path.rpartition("/")[0], None, [f"{path}: {why}."]) for path, why in missing.items()
                if is_main(path.rpartition("/")[2]) and path.rpartition("/")[0] not in found]
    return checked + [
        Checked(folder, None, [f"There are {len(found)} skills; {MAX_SKILLS} are taken at once, by path."])
        for folder, _ in skills[MAX_SKILLS:]
    ]


def check_package(
    folder: str, files: Mapping[str, bytes], left_out: Mapping[str, str] | None = None, otherwise: str = ""
) -> Checked:
    """Read one skill's folder; `folder` is its path, empty where it has none and its name says it all."""
    mains = sorted((path for path in files if is_main(path)), key=lambda path: (path != MAIN_FILE, path))
    if not mains:
        return Checked(folder, None, ["There is no SKILL.md in the folder."])
    gone = {**(left_out or {}), **{path: why for path, content in files.items() if (why := _why_out(content))}}
    if mains[0] in gone:
        return Checked(folder, None, [f"{mains[0]}: {gone[mains[0]]}."])
    kept = {path: content for path, content in files.items() if path not in gone and path != mains[0]}
    problems = [fault for check in FILE_CHECKS for fault in check(kept)]
    problems += [f"The file {path[:200]!r} was refused: {why}." for path, why in gone.items() if path_fault(path)]
    if problems:
        return Checked(folder, None, problems)
    notes = [f"{path}: it was left out, because {why}." for path, why in list(gone.items())[:SHOWN_LEFT_OUT]]
    notes += _notes_on_names(mains[0], kept)
    try:
        content = _text(files[mains[0]], notes)
        return _judged(folder, content, kept, notes, gone, otherwise)
    except FrontMatterInvalid as error:
        return Checked(folder, None, [str(error)], notes, gone)


def _judged(
    folder: str, content: str, files: Mapping[str, bytes], notes: list[str], gone: Mapping[str, str], otherwise: str
) -> Checked:
    parts = front_matter.split(content)
    if parts.head is None:
        notes.append("SKILL.md does not begin with front matter: its first line should be ---.")
    elif parts.is_odd:
        notes.append("SKILL.md has its front matter in another place, or between other lines, than the format says: "
                     "its first line should be ---.")
    head = front_matter.read(parts.head or "")
    said = read_fields(head.fields, folder, parts.body, otherwise)
    notes += head.notes + said.notes
    problems = head.problems + said.problems
    if problems:
        return Checked(folder, None, problems, notes, gone)
    tools, faults = read_tools(files[TOOLS_FILE], said.name, files) if TOOLS_FILE in files else ([], [])
    notes += faults
    metadata = said.metadata | {"notes": notes, "left_out": dict(gone), "digest": digest_of(content, files)}
    package = Package(
        folder=folder, name=said.name, description=said.description, content=content, body=parts.body,
        metadata=metadata, files=files, tools=tools, category=said.category, skill_type=said.skill_type, tags=said.tags)
    return Checked(folder, package, [], notes, gone)


def digest_of(content: str, files: Mapping[str, bytes]) -> str:
    """Return the digest of a skill's whole content; equal ones are the same skill."""
    digest = hashlib.sha256()
    for path, data in [("SKILL.md", content.encode()), *sorted(files.items())]:
        digest.update(f"{len(path.encode())}:{path}:{len(data)}:".encode() + data)
    return digest.hexdigest()


def _why_out(content: bytes) -> str | None:
    """Return why a skill goes without a file; None when it is taken."""
    if len(content) > MAX_FILE_BYTES:
        return f"it is larger than {MAX_FILE_BYTES} bytes"
    if len(content) < LARGE_FILE_POINTER_BYTES and content.startswith(LARGE_FILE_POINTER):
        return "it is kept outside of the repository (Git LFS)"
    return None


def _text(content: bytes, notes: list[str]) -> str:
    """Return a SKILL.md as text, in whatever it is written; says so where that is not UTF-8."""
    encoding = next((name for mark, name in MARKS if content.startswith(mark)), None) or _unmarked(content)
    try:
        text = content.decode("utf-8" if encoding == "utf-8-sig" else encoding)
    except UnicodeDecodeError:
        text, encoding = _broken(content)
    if encoding == "utf-8-sig":
        notes.append("SKILL.md begins with a byte order mark; the format is plain UTF-8.")
    elif encoding != "utf-8":
        notes.append(f"SKILL.md is not UTF-8 text; it was read as {encoding}.")
        text = text.removeprefix("\ufeff")
    if "\x00" in text or any("\ud800" <= ch <= "\udfff" for ch in text):
        raise FrontMatterInvalid("SKILL.md is not text: it has a NUL character in it.")
    if not text.strip():
        raise FrontMatterInvalid("SKILL.md is empty.")
    return text


def _unmarked(content: bytes) -> str:
    """Guess UTF-16 by where its zero bytes stand: Latin letters have one each."""
    start = content[:512]
    if len(start) >= 4 and len(start) % 2 == 0:
        if start[1::2].count(0) > len(start) // 4 and not start[::2].count(0):
            return "utf-16-le"
        if start[::2].count(0) > len(start) // 4 and not start[1::2].count(0):
            return "utf-16-be"
    return "utf-8"


def _broken(content: bytes) -> tuple[str, str]:
    """Read bytes that are not UTF-8: as UTF-8 with holes where most of it is, else as an older European encoding."""
    text = content.decode("utf-8", "replace")
    if text.count("\ufffd") < sum(ord(ch) > 127 for ch in text) / 2:
        return text, "UTF-8 with holes"
    try:
        return content.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        return content.decode("latin-1"), "ISO 8859-1"


def _notes_on_names(main: str, files: Mapping[str, bytes]) -> Iterator[str]:
    if main != MAIN_FILE:
        yield f"{main}: the format calls this file {MAIN_FILE}."
    seen: dict[str, str] = {}
    for path in sorted(files):
        if (other := seen.setdefault(path.casefold(), path)) != path:
            yield f"{path}: its name differs from {other!r} in capitals only."


def _check_number(files: Mapping[str, bytes]) -> Iterator[str]:
    if len(files) >= MAX_FILES:
        yield f"It has {len(files) + 1} files; {MAX_FILES} are taken."
    if sum(map(len, files.values())) > MAX_TOTAL_BYTES:
        yield f"Its files are larger than {MAX_TOTAL_BYTES} bytes together."


def _check_paths(files: Mapping[str, bytes]) -> Iterator[str]:
    for path in files:
        if fault := path_fault(path):
            yield f"The file {path[:200]!r} was refused: {fault}."


def _check_twins(files: Mapping[str, bytes]) -> Iterator[str]:
    for path, first in twins(files).items():
        yield f"The file {path[:200]!a} was refused: people cannot tell its name from that of {first[:200]!a}."


FILE_CHECKS: tuple[Callable[[Mapping[str, bytes]], Iterator[str]], ...] = (_check_number, _check_paths, _check_twins)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Of many folders, the skills that are taken, one of each name, and by folder why the others are not."""

    packages: list[Package]
    problems: dict[str, list[str]]


def choose(checked: Sequence[Checked]) -> Chosen:
    """Take one skill of each name, the one nearest to the top first; others of its name get one of their own.

    A copy of a skill is not taken again, nor are those of a taken name in hidden folders, which are made for programs.
    """
    problems = {one.folder: one.problems for one in checked if one.problems}
    taken: dict[str, Package] = {}
    digests: set[str] = set()
    for package in sorted((one.package for one in checked if one.package), key=lambda each: _nearness(each.folder)):
        if package.metadata["digest"] in digests:
            continue
        digests.add(package.metadata["digest"])
        if package.name not in taken:
            taken[package.name] = package
        elif _is_hidden(package.folder):
            first = taken[package.name].folder or "/"
            problems[package.folder] = [
                f"name: {package.name!r} is used by more than one folder; that in {first!r} is taken."]
        else:
            renamed = _renamed(package, taken)
            taken[renamed.name] = renamed
    return Chosen(sorted(taken.values(), key=lambda each: each.folder), problems)


def _is_hidden(folder: str) -> bool:
    return any(part.startswith(".") for part in folder.split("/"))


def _nearness(folder: str) -> tuple[bool, int, str]:
    return _is_hidden(folder), folder.count("/"), folder


def _renamed(package: Package, taken: Mapping[str, Package]) -> Package:
    """Give a skill the name of the folder that it lies in before its own, or a number behind it."""
    above = [part for part in package.folder.split("/")[:-1] if part.lower() != "skills"]
    names = [as_name(f"{above[-1]}-{package.name}")] if above else []
    names += [f"{package.name[:MAX_NAME - 5]}-{number}" for number in range(2, MAX_SKILLS)]
    name = next(name for name in names if name not in taken)
    note = f"name: {package.name!r} is taken by another folder of the same origin; it is called {name!r} here."
    metadata = package.metadata | {"notes": [*package.metadata["notes"], note]}
    return replace(package, name=name, metadata=metadata)
