"""What the server's log says of an agent at work: as much as the agent's own `logging_level` asks for.

Lines hold names, numbers and codes; never a prompt, an answer, an argument or what a tool returned.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

import structlog

from automatos.runtime.types import RunInput, Turn

log = structlog.get_logger("automatos.runtime")
details = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
"""Writes whatever the server's own level is: an agent set to `debug` is heard on a server set to `info`."""

LEVELS: Mapping[str, int] = MappingProxyType({
    "debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR,
})


@dataclass(frozen=True, slots=True)
class RunNotes:
    """The log of one agent's runs, `who` in every line.

    Nothing below `level` is written; `is_timed` says whether each turn's time is noted (`performance_monitoring`).
    """

    who: Mapping[str, Any]
    level: int
    is_timed: bool

    def started(self, run_id: UUID, run_input: RunInput) -> None:
        """Note that a run begins: which model answers, how much it reads first."""
        self._write(logging.DEBUG, "runs.started", run_id=run_id, provider=run_input.model.provider,
                    model=run_input.model.model_id)
        self._write(logging.DEBUG, "runs.opened", run_id=run_id, prompt_chars=len(run_input.prompt),
                    system_prompt_chars=len(run_input.system_prompt), tools=list(run_input.tools),
                    max_turns=run_input.limits.max_turns)

    def answered(self, turn: Turn) -> None:
        """Note a model's turn: that it came, how long it took, how large it is."""
        facts = {"run_id": turn.run_id, "turn": turn.seq, "tool_calls": len(turn.body["tool_calls"])}
        self._write(logging.DEBUG, "runs.answered", **facts)
        self._time(turn, "model", input_tokens=turn.input_tokens, output_tokens=turn.output_tokens)
        self._write(logging.DEBUG, "runs.answer_measured", **facts, text_chars=len(turn.body["text"]))

    def called(self, turn: Turn) -> None:
        """Note a tool's turn; a call that failed is a warning."""
        facts = {"run_id": turn.run_id, "turn": turn.seq, "tool": turn.body["name"]}
        if turn.error is None:
            self._write(logging.DEBUG, "runs.tool_called", **facts)
        else:
            self._write(logging.WARNING, "runs.tool_failed", **facts, code=turn.error)
        self._time(turn, "tool")
        self._write(logging.DEBUG, "runs.call_measured", **facts, argument_chars=len(turn.body["arguments"]),
                    output_chars=len(turn.body["output"]))

    def retrying(self, run_id: UUID | None, *, attempt: int, code: str, delay_s: float) -> None:
        """Note that a run failed and another follows."""
        self._write(logging.WARNING, "runs.retrying", run_id=run_id, attempt=attempt, code=code, delay_s=delay_s)

    def finished(self, run_id: UUID | None, *, duration_ms: int, tokens: int) -> None:
        """Note that the agent gave its answer."""
        timed = {"duration_ms": duration_ms} if self.is_timed else {}
        self._write(logging.DEBUG, "runs.finished", run_id=run_id, total_tokens=tokens, **timed)

    def failed(self, run_id: UUID | None, code: str) -> None:
        """Note that the agent gave no answer and no further run follows."""
        self._write(logging.ERROR, "runs.failed", run_id=run_id, code=code)

    def _time(self, turn: Turn, kind: str, **facts: Any) -> None:
        if self.is_timed:
            self._write(logging.DEBUG, "runs.turn_timed", run_id=turn.run_id, turn=turn.seq, kind=kind,
                        duration_ms=turn.duration_ms, **facts)

    def _write(self, level: int, event: str, **facts: Any) -> None:
        """Write a line that the agent's level lets through; a server that is to be quiet stays so."""
        if level < self.level:
            return
        is_opened = level == logging.DEBUG and log.is_enabled_for(logging.INFO)
        (details if is_opened else log).log(level, event, **self.who, **facts)
