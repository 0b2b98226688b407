"""Files that commands read: recipes and agents, as YAML or JSON, with long texts in files of their own beside them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from automatos.cli.console import CommandFailed, put, say
from automatos.cli.machine import on_machine

MAX_BYTES = 5 * 1024 * 1024
MAX_TEXT_BYTES = 1024 * 1024
ENDINGS = frozenset({".yaml", ".yml", ".json"})
TEXTS = frozenset({"prompt_template", "description", "custom_prompt", "custom_persona_prompt", "default"})
"""Fields whose value may be `@FILE`, a file beside the document."""


def read_document(path: Path) -> dict[str, Any]:
    """Return the one mapping that a file holds, with the texts that it names by `@FILE`.

    Raises:
        CommandFailed: it is too large, no text, no YAML, or something else than a mapping; says where.
    """

    text = read_text_file(path, MAX_BYTES)
    try:
        found = [on_machine("read_json", text)] if path.suffix == ".json" else on_machine("read_documents", text)
    except ValueError as error:
        kind = "JSON" if path.suffix == ".json" else "YAML"
        raise CommandFailed(f"{path} is not valid {kind}: {error}") from error
    if len(found) > 1:
        raise CommandFailed(f"{path} holds {len(found)} documents; one is read")
    if not found or not isinstance(found[0], dict):
        raise CommandFailed(f"{path} holds no mapping at its top level")
    return _with_texts(found[0], path, "")


def read_text_file(path: Path, limit: int = MAX_TEXT_BYTES) -> str:
    """Return the text of a file, in UTF-8 with or without a mark, or in UTF-16 with one.

    Raises:
        CommandFailed: it cannot be read, is larger than `limit` bytes, or is no text.
    """
    try:
        if path.stat().st_size > limit:
            raise CommandFailed(f"{path} is larger than {limit // 1024 // 1024} MB")
        content = path.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}") from error
    return as_text(content, str(path))


def as_text(content: bytes, name: str) -> str:
    """Return bytes as text; raises CommandFailed with the place of the first byte that is none."""
    encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CommandFailed(
            f"{name} is not UTF-8 text: byte {error.start + 1}, in line {line}, is 0x{content[error.start]:02x}",
            "save it as UTF-8; files that are no text cannot be sent") from error
    if "\x00" in text:
        raise CommandFailed(f"{name} is not text: it has zero bytes in it")
    return text


def _with_texts(value: Any, document: Path, where: str) -> Any:
    """Return a document with each `@FILE` of a text's field replaced by what is in the file."""
    if isinstance(value, list):
        return [_with_texts(part, document, f"{where}[{place}]") for place, part in enumerate(value)]
    if isinstance(value, dict):
        return {name: _text_of(part, document, f"{where}.{name}".removeprefix(".")) if name in TEXTS
                and isinstance(part, str) else _with_texts(part, document, f"{where}.{name}".removeprefix("."))
                for name, part in value.items()}
    return value


def _text_of(value: str, document: Path, where: str) -> str:
    name = value.strip()
    if not name.startswith("@") or len(name) < 2 or len(name.split()) > 1:
        return value
    if name.startswith("@@"):
        return name[1:]
    folder = document.parent.resolve()
    path = (folder / name[1:]).resolve()
    if not path.is_relative_to(folder):
        raise CommandFailed(f"{document}: {where} names {name}, which is not beside it or below",
                            "a document reads files of its own folder only")
    try:
        return read_text_file(path)
    except CommandFailed as failure:
        raise CommandFailed(f"{document}: {where} names {name}: {failure.what}",
                            "a text that begins with @ itself is written with two: @@") from failure


def recipe_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files, with each folder replaced by the recipe files in it.

    Raises:
        CommandFailed: a path does not exist, or a folder holds no recipe file.
    """
    files = list[Path]()
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.iterdir() if each.suffix in ENDINGS)
            if not inside:
                raise CommandFailed(f"{path} holds no .yaml or .json file")
            files += inside
        elif path.is_file():
            files.append(path)
        else:
            raise CommandFailed(f"{path} does not exist")
    return files


def put_document(text: str, output: Path | None, what: str) -> None:
    """Write a document as data, or into a file where one is named, and say what is in it.

    Raises:
        CommandFailed: the file cannot be written.
    """
    if output is None:
        put(text.rstrip("\n"))
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"{output} cannot be written: {error.strerror}") from error
    say(f"{what} written to {output}")
