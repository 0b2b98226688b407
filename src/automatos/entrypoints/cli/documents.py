"""Files that commands read: recipes and agents, as YAML or JSON."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from automatos.entrypoints.cli.console import CommandFailed

MAX_BYTES = 5 * 1024 * 1024
ENDINGS = frozenset({".yaml", ".yml", ".json"})


def read_document(path: Path) -> dict[str, Any]:
    """Return the one mapping that a file holds.

    Raises:
        CommandFailed: it is too large, no text, no YAML, or something else than a mapping; says where.
    """
    import yaml

    try:
        if path.stat().st_size > MAX_BYTES:
            raise CommandFailed(f"{path} is larger than {MAX_BYTES // 1024 // 1024} MB")
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandFailed(f"{path} is not UTF-8 text") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CommandFailed(f"{path} is not valid YAML: {' '.join(str(error).split())[:300]}") from error
    if not isinstance(found, dict):
        raise CommandFailed(f"{path} holds no mapping at its top level")
    return found


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
