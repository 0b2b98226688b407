"""What clients send and get about heartbeats."""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, cast
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, StrictBool, model_validator

from automatos.agents.service import AgentConfiguration, AgentConfigurationOut
from automatos.agents.types import AgentStatus
from automatos.heartbeats.types import BeatStatus, RunWhen, Severity, Watch
from automatos.kernel.schemas import Body, Money, Out

AgentId = Annotated[int, Field(ge=1, le=2**31 - 1)]
LEVELS = {"notify": False, "act_notify": True}
"""What `proactive_level` of the published description means here for `auto_act`; both report what they did."""
RECEIVERS = frozenset({"webhook_url", "channel_id"})
"""Where results could go besides the history; this server has no such receivers, so only empty ones fit."""


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in _known_zones():
        raise ValueError("is no IANA time zone; use a name such as Europe/Berlin, or UTC")
    return name


def _each_once(watch: list[Watch]) -> list[Watch]:
    return list(dict.fromkeys(watch))


def _without_empty(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines if line.strip()]


ClockTime = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["08:00"])]
Line = Annotated[str, Field(max_length=500)]
ZoneName = Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]


def _with_level(given: dict[str, Any]) -> dict[str, Any]:
    """Read `proactive_level` as `auto_act`; one that contradicts it is refused."""
    level = given.get("proactive_level")
    if not isinstance(level, str):
        return given
    if level not in LEVELS:
        raise ValueError(f"proactive_level: {level[:40]!r} cannot be followed, because every beat leaves its result in "
                         "the history; use notify, which reports only, or act_notify, which may act as well")
    may_act = LEVELS[level]
    if given.get("auto_act", may_act) is not may_act:
        raise ValueError(f"proactive_level {level!r} and auto_act contradict each other; leave one out")
    return {name: value for name, value in given.items() if name != "proactive_level"} | {"auto_act": may_act}


class HeartbeatSettings(Body):
    """When an agent checks in by itself, and what it is to do then."""

    enabled: StrictBool = False
    interval_minutes: int = Field(
        default=60, strict=True, ge=1, le=43_200, description="Exact; 90 means every 90 minutes.")
    inherit_active_hours: StrictBool = Field(
        default=True, description="Use the workspace's hours instead of those below.")
    active_hours_start: ClockTime = "08:00"
    active_hours_end: ClockTime = Field(
        default="20:00", description="May lie before the start: the hours cross midnight then.")
    timezone: ZoneName = "UTC"
    prompt: str = Field(default="", max_length=8000, description="What to look after; empty: the agent's own field.")
    checklist: Annotated[list[Line], AfterValidator(_without_empty)] = Field(default_factory=list[str], max_length=50)
    run_when: RunWhen = Field(
        default=RunWhen.CHANGED, description="`changed` costs nothing while all it watches is as it was.")
    watch: Annotated[list[Watch], AfterValidator(_each_once)] = Field(
        default_factory=lambda: list(Watch), max_length=20)
    auto_act: StrictBool = Field(default=False, description="Off, the agent may look and report, but change nothing.")
    report_to: Literal["history"] = Field(
        default="history", description="Results go to the history; `orchestrator` is taken as the same.")

    @model_validator(mode="before")
    @classmethod
    def _as_documented(cls, data: Any) -> Any:
        """Take what the published description has beside these fields: empty receivers, a level, a checklist as lines.

        Those that nothing here could follow are refused.
        """
        if not isinstance(data, dict):
            return data
        given = {name: value for name, value in cast("dict[str, Any]", data).items()
                 if name not in RECEIVERS or value not in ("", None)}
        if given.get("report_to") == "orchestrator":
            given["report_to"] = "history"
        if isinstance(lines := given.get("checklist"), str):
            given["checklist"] = lines.splitlines()
        return _with_level(given)


class AgentConfigurationChange(AgentConfiguration):
    """Settings of an agent to change, with its heartbeat."""

    heartbeat: HeartbeatSettings | None = None

    def own_part(self) -> AgentConfiguration:
        """Return what is the agent's own, without its heartbeat."""
        return AgentConfiguration.model_validate(self.model_dump(exclude_unset=True, exclude={"heartbeat"}))


class ActiveHours(Out):
    """The hours that count for an agent now, and whether they are its own or its workspace's."""

    start: ClockTime
    end: ClockTime
    timezone: str
    source: Literal["agent", "workspace"]


class HeartbeatConfig(Out):
    """An agent's heartbeat; one that was never configured shows what is assumed."""

    agent_id: int
    enabled: bool
    interval_minutes: int
    inherit_active_hours: bool
    active_hours_start: ClockTime
    active_hours_end: ClockTime
    timezone: str
    prompt: str
    checklist: list[str]
    run_when: RunWhen
    watch: list[Watch]
    auto_act: bool
    report_to: Literal["history"]
    active_hours: ActiveHours | None = Field(description="The hours in force; null when they cannot be read.")
    next_at: datetime | None = Field(description="The next beat; null while it is off.")
    version: int = Field(description="0 before it was configured for the first time.")
    updated_at: datetime | None


class AgentConfigurationShown(AgentConfigurationOut):
    """How an agent works, every setting with its value, and its heartbeat."""

    heartbeat: HeartbeatConfig


class Toggle(Body):
    """Whether the heartbeat is on."""

    enabled: StrictBool


class FindingOut(Out):
    """One thing the agent reports."""

    check: str
    detail: str
    severity: Severity = "info"


class ActionTaken(Out):
    """A tool the agent called during the beat."""

    tool: str
    params: dict[str, Any]


class HeartbeatResult(Out):
    """What came of one beat."""

    id: UUID
    agent_id: int
    due_at: datetime | None = Field(description="When it was due; null when a person asked for it.")
    status: BeatStatus
    reason: str | None = Field(description="Why it was skipped, found nothing changed, or failed.")
    run_id: UUID | None = Field(
        validation_alias="execution_id", description="The run in which the agent worked; null when it was not asked.")
    findings: list[FindingOut]
    actions_taken: list[ActionTaken]
    tokens_used: int
    cost_usd: Money = Field(validation_alias="cost_micro_usd")
    triggered_by: str
    created_at: datetime
    finished_at: datetime | None


class HeartbeatHistory(Out):
    """Results of one agent, the newest first; `next_cursor` asks for the page after this one."""

    items: list[HeartbeatResult]
    next_cursor: str | None


class AgentHeartbeat(Out):
    """The heartbeat of one agent in a list."""

    agent_id: int
    agent_name: str
    agent_status: AgentStatus
    enabled: bool
    interval_minutes: int
    run_when: RunWhen
    next_at: datetime | None
    last: HeartbeatResult | None


class WorkspaceHeartbeats(Out):
    """The heartbeats of the workspace; an agent has one once it was configured or asked to check in."""

    items: list[AgentHeartbeat]
    total: int


class HeartbeatJob(Out):
    """A beat that waits for its time."""

    agent_id: int
    agent_name: str
    next_at: datetime


class HeartbeatStatus(Out):
    """How heartbeats stand in the workspace."""

    active: bool = Field(description="Whether this server makes beats by itself (HEARTBEAT_ENABLED).")
    running: int = Field(description="Agents with a beat at work now.")
    due: int = Field(description="Beats whose time has come and that no worker has taken yet.")
    jobs: list[HeartbeatJob] = Field(description="What is planned, the soonest first; at most 100.")
    total: int = Field(description="How many heartbeats are on.")


class Today(Out):
    """Counts of one day's beats."""

    since: datetime = Field(description="When the day began in the time zone of the workspace's heartbeats.")
    total_heartbeats: int
    successes: int
    errors: int
    unchanged: int
    skipped: int
    total_tokens: int
    total_cost_usd: Money = Field(validation_alias="total_cost_micro_usd",
                                  description="null while the cost of any of them is unknown")
    known_cost_usd: Money = Field(validation_alias="known_cost_micro_usd")
    unpriced_heartbeats: int


class RecentBeat(HeartbeatResult):
    """A result with the name of its agent."""

    agent_name: str


class HeartbeatAnalytics(Out):
    """What the heartbeats of the workspace did lately."""

    today: Today
    recent_events: list[RecentBeat] = Field(description="The newest of the last 24 hours; at most 20.")
