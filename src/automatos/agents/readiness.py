"""Readiness: what tells whether an agent could work on this server; `checks.py` asks it."""

from dataclasses import dataclass

from automatos.llm.service import ModelClient
from automatos.tools.types import ToolCatalogue


@dataclass(frozen=True, slots=True)
class Readiness:
    """Who knows which models can be asked and which tools work here."""

    models: ModelClient
    tools: ToolCatalogue
