"""Tables of facts that ship with the product, as YAML files in its packages."""

from importlib.resources import files
from typing import Any

import yaml


def read_shipped(room: str, name: str) -> Any:
    """Return what a file of a package says, such as `("automatos.llm", "seeds/models.yaml")`."""
    return parse_shipped(files(room).joinpath(name).read_text("utf-8"))


def parse_shipped(text: str) -> Any:
    """Return what the text of such a file says; libyaml reads it seven times faster than Python does."""
    return yaml.load(text, Loader=yaml.CSafeLoader)
