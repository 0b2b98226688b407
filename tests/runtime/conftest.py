"""One agent at work without a recipe around it: the real model client and toolbox, a journal kept in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from automatos.entrypoints.services import Services
from automatos.events.types import RunEventData
from automatos.kernel.ids import new_id
from automatos.llm.types import ModelChoice
from automatos.runtime.loop import AgentDeps, run_agent
from automatos.runtime.types import Answer, Limits, Run, RunInput, Turn
from tests.fakes.model_server import ModelServer
from tests.surface import Client

ALL_TOOLS = ("calculator", "file_ops", "text_stats")


@dataclass
class Notebook:
    """A journal in memory; `stop_after` ends the process, as it were, after that many turns."""

    stop_after: int | None = None
    records: list[list[Turn]] = field(default_factory=list)
    events: list[RunEventData] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def turns(self) -> list[Turn]:
        return [turn for record in self.records for turn in record]

    async def record(self, turns: Sequence[Turn], events: Sequence[RunEventData]) -> None:
        self.records.append(list(turns))
        self.events += events
        if self.stop_after is not None and len(self.turns) >= self.stop_after:
            raise Killed

    def stream(self, turn: int, text: str, *, is_reasoning: bool = False) -> None:
        if not is_reasoning:
            self.pieces.append(text)

    def restart(self, turn: int) -> None:
        self.pieces.clear()


class Killed(Exception):
    """The process ended here."""


@dataclass
class Bench:
    """Runs agents for one workspace."""

    client: Client
    desk: AgentDeps

    def run(self, prompt: str = "Work", *, tools: tuple[str, ...] = ALL_TOOLS, limits: Limits | None = None,
            turns: Sequence[Turn] = (), base: Run | None = None) -> Run:
        opening = RunInput("You work.", prompt, ModelChoice("openai", "fake-model"), tools, limits or Limits())
        run_id = base.id if base else new_id()
        return Run(run_id, self.client.workspace_id, 1, None, 1, base.run_input if base else opening, 1, list(turns))

    async def work(self, run: Run, notebook: Notebook | None = None) -> Answer:
        return await run_agent(run, self.desk, notebook or Notebook())


@pytest.fixture
def bench(client: Client, services: Services, model_server: ModelServer, tmp_path: Path) -> Bench:
    return Bench(client, AgentDeps(services.models, services.toolbox, tmp_path, tool_timeout_s=10, model_timeout_s=10))
