"""What calls give back: the fields most programs need, typed; `raw` holds all that the server said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from automatos.client.events import FINAL_EVENTS, RUN_EVENTS, RunEventData

JsonObject = Mapping[str, Any]

@dataclass(frozen=True, slots=True)
class Answer:
    """A response: status, headers by lower-case name, and the body, decoded where it is JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Started:
    """A run that was accepted; it begins as soon as a worker has room."""

    run_id: str
    status: str
    message: str
    url: str
    raw: JsonObject = field(repr=False)

    @classmethod
    def of(cls, raw: JsonObject) -> "Started":
        """Read the answer to a start."""
        return cls(raw["run_id"], raw["status"], raw["message"], raw["url"], raw)


@dataclass(frozen=True, slots=True)
class RunError:
    """Why a run did not do what it should."""

    code: str
    message: str
    next_step: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it stands. `output` is its last answer, `outputs` what its recipe declares, once it is over."""

    id: str
    kind: str
    status: str
    is_over: bool
    agent_id: int | None
    recipe_id: str | None
    name: str
    total_tokens: int
    cost_usd: str | None
    error: RunError | None
    output: str | None
    outputs: JsonObject
    raw: JsonObject = field(repr=False)

    @classmethod
    def of(cls, raw: JsonObject) -> "Run":
        """Read a run of a list or a whole one; outputs are in whole ones only."""
        error, given = raw["error"], raw.get("output_data") or {}
        return cls(
            id=raw["id"], kind=raw["kind"], status=raw["status"], is_over=raw["finished_at"] is not None,
            agent_id=raw["agent_id"], recipe_id=raw["recipe_id"], name=raw["recipe_name"],
            total_tokens=raw["total_tokens"], cost_usd=raw["cost_usd"],
            error=RunError(error["code"], error["message"], error["next_step"]) if error else None,
            output=given.get("final_output"), outputs=given.get("outputs") or {}, raw=raw)


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One event of a run; what `data` holds depends on `type`, as docs/reference/events.md says. `told` has it typed.

    Facts are numbered from 1; text that is being written comes between them with the number 0 and is not stored.
    """

    seq: int
    type: str
    at: str
    data: JsonObject
    text: str = field(repr=False)
    """The event as the server wrote it, JSON."""

    @property
    def is_fact(self) -> bool:
        """Whether it is stored; the others tell of an answer that is being written."""
        return self.seq > 0

    @property
    def is_final(self) -> bool:
        """Whether the run is over with it."""
        return self.type in FINAL_EVENTS

    @property
    def told(self) -> RunEventData | None:
        """What `data` holds, as an object of the class of its type; None where only a newer client knows that."""
        kind = RUN_EVENTS.get(self.type)
        return kind.read(self.data) if kind else None
