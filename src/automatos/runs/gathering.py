"""What the items of a for-each gave, as one output."""

from collections.abc import Mapping

import orjson

from automatos.runs.types import StepPath


def gathered(outputs: Mapping[str, str | None], path: StepPath, last_key: str, count: int) -> str:
    """Return what the last step of each item gave, in the order of the items, as a list in JSON; null where none."""
    return orjson.dumps([outputs.get(f"{path}[{index}].{last_key}") for index in range(count)]).decode()
