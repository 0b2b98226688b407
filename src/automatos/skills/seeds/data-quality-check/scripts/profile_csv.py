"""Profiles a CSV table: arguments as JSON on standard input, the profile as JSON on standard output."""

import csv
import io
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

MISSING = {"", "na", "n/a", "null", "none", "nan", "-", "unknown"}
SHOWN = 5


def number(text: str) -> float | None:
    """Return a text as a number, or None where it is not one."""
    try:
        return float(text.replace(" ", ""))
    except ValueError:
        return None


def describe(values: list[str]) -> dict[str, Any]:
    """Return what one column holds."""
    present = [value.strip() for value in values if value.strip().lower() not in MISSING]
    numbers = [found for value in present if (found := number(value)) is not None]
    is_numeric = bool(present) and len(numbers) == len(present)
    ordered = sorted(numbers if is_numeric else present)
    return {
        "missing": len(values) - len(present), "distinct": len(set(present)),
        "type": "number" if is_numeric else "mixed" if numbers else "text",
        "not_numbers": len(present) - len(numbers) if numbers and not is_numeric else 0,
        "least": ordered[0] if ordered else None, "most": ordered[-1] if ordered else None,
        "frequent": Counter(present).most_common(SHOWN),
    }


def profile(text: str, delimiter: str) -> dict[str, Any]:
    """Return what a table holds, column by column."""
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    if not rows:
        return {"rows": 0, "columns": {}}
    header, body = rows[0], [row for row in rows[1:] if row]
    width = len(header)
    whole = [row + [""] * (width - len(row)) for row in body]
    return {
        "rows": len(body), "repeated_rows": len(body) - len({tuple(row) for row in body}),
        "rows_of_another_width": sum(len(row) != width for row in body),
        "columns": {name or f"column {place + 1}": describe([row[place] for row in whole])
                    for place, name in enumerate(header)},
    }


def main() -> int:
    """Read the arguments, write the profile; 1 when there is nothing to profile."""
    arguments = json.load(sys.stdin)
    if "path" not in arguments and "text" not in arguments:
        sys.stdout.write("Give a path or a text.\n")
        return 1
    try:
        text = arguments.get("text") or Path(arguments["path"]).read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        sys.stdout.write(f"The file cannot be read: {error}\n")
        return 1
    json.dump(profile(text, arguments.get("delimiter", ",")), sys.stdout, indent=1, ensure_ascii=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
