"""What clients send and get about agents' lives: saves, reports, previews of a change, changes, several at once."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator

from automatos.agents.service import AgentCreate, AgentEdit, AgentId, Tags
from automatos.agents.service import AgentOut as Agent
from automatos.agents.types import AgentStatus, PriorityLevel, ShutdownType
from automatos.kernel.schemas import Body, Out
from automatos.lifecycle.types import Confirmation

MAX_BULK = 100
MAX_CHOSEN = 200

Token = Annotated[str, Field(max_length=100)]
Confirmations = Annotated[list[Confirmation], Field(max_length=20)]


class StatusPreviewOrder(Body):
    """A change to be thought through before it is made."""

    status: AgentStatus
    shutdown_type: ShutdownType | None = None


class StatusChange(StatusPreviewOrder):
    """A change of status; what its preview asks to be confirmed, and the preview's token, come with it."""

    confirmations: Confirmations = Field(default_factory=list)
    impact_token: Token | None = None


class StopOrder(Body):
    """How to stop, and what was acknowledged of it; graceful where no type is named."""

    shutdown_type: ShutdownType | None = None
    confirmations: Confirmations = Field(default_factory=list)
    impact_token: Token | None = None


class AgentUpdate(AgentEdit):
    """What to change, in one save; fields left out stay, and `configuration` is merged over what is stored.

    The last three belong to a change of status: how to stop, and what was acknowledged of its effects.
    """

    never_null: ClassVar[tuple[str, ...]] = (*AgentEdit.never_null, "status")

    status: AgentStatus | None = None
    shutdown_type: ShutdownType | None = None
    confirmations: Confirmations = Field(default_factory=list)
    impact_token: Token | None = None


class BulkCreate(Body):
    """New agents; all of them are made, or none. An array of them may stand alone."""

    array_field = "agents"

    agents: Annotated[list[AgentCreate], Field(min_length=1, max_length=MAX_BULK)]


class BulkActions(Body):
    """One action on several agents, each by itself; `tags` are those to add or to take away."""

    action: Literal["activate", "deactivate", "pause", "archive", "restore", "delete", "tag", "untag"]
    agent_ids: Annotated[list[AgentId], Field(min_length=1, max_length=MAX_CHOSEN)]
    tags: Tags = Field(default_factory=list)

    @model_validator(mode="after")
    def _tags_where_they_count(self) -> Self:
        if bool(self.tags) != (self.action in {"tag", "untag"}):
            raise ValueError("tags go with the actions tag and untag, and with those only")
        return self


class AffectedWork(Out):
    """An unfinished execution that needs the agent: now (`running`), next (`queued`) or at a step to come (`later`)."""

    id: UUID
    name: str
    kind: str
    priority: PriorityLevel
    status: str
    place: Literal["running", "queued", "later"]
    estimated_completion: datetime | None
    remaining_s: float | None


class DependentAgent(Out):
    """Another agent whose work needs this one's."""

    id: int
    name: str
    dependency_type: str


class DependentThing(Out):
    """Something that names the agent, such as a recipe."""

    kind: str
    id: str
    name: str


class SystemImpact(Out):
    """What the workspace loses: the agent's share of its steps in percent, and how long until the loss is made good."""

    performance_degradation: float
    availability_impact: Literal["High", "Low"]
    recovery_time_estimate: str
    recovery_time_s: float | None
    basis: str


class ImpactRecommendation(Out):
    """One thing worth knowing before the change."""

    type: Literal["warning", "info", "critical"]
    message: str


class ImpactAnalysis(Out):
    """Everything that a change would touch."""

    active_workflows: list[AffectedWork]
    queued_tasks: int
    dependent_agents: list[DependentAgent]
    dependents: list[DependentThing]
    system_impact: SystemImpact
    recommendations: list[ImpactRecommendation]


class RequiredConfirmation(Out):
    """An effect that must be confirmed by its id."""

    id: Confirmation
    text: str
    count: int


class Impact(Out):
    """What would happen; `impact_token` stands for exactly these effects."""

    agent_id: int
    agent_name: str
    current_status: AgentStatus
    proposed_status: AgentStatus | Literal["deleted"]
    shutdown_type: ShutdownType | None
    impact_analysis: ImpactAnalysis
    required_confirmations: list[RequiredConfirmation]
    will_interrupt: list[UUID]
    will_cancel: list[UUID]
    will_await: list[UUID]
    will_fail: list[UUID]
    impact_token: str


class Shutdown(Out):
    """How a stop goes: what it interrupted, cancelled and waits for; `inactive_at` is an estimate or the moment."""

    shutdown_type: ShutdownType
    target: AgentStatus
    interrupted: list[UUID]
    cancelled: list[UUID]
    awaiting: list[UUID]
    inactive_at: datetime | None
    is_done: bool


class StatusChanged(Out):
    """The agent after the change, and the stop that the change began, if it is one."""

    agent: Agent
    shutdown: Shutdown | None


class WaitingStop(Out):
    """A stop that waits for work to end."""

    shutdown_type: ShutdownType
    target: AgentStatus
    requested_by: str
    requested_at: datetime
    awaiting: list[AffectedWork]
    awaiting_count: int
    estimated_inactive_at: datetime | None


class AgentWorkload(Out):
    """What an agent has to do: `active` holds the first 50."""

    running: int
    queued: int
    capacity: int
    active: list[AffectedWork]


class StatusReport(Out):
    """Where an agent is in its life, what it may become, and what it works on."""

    agent_id: int
    name: str
    status: AgentStatus
    status_reason: str | None
    agent_type: str
    priority_level: PriorityLevel
    max_concurrent_tasks: int
    auto_start: bool
    configuration: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    allowed_statuses: list[AgentStatus]
    stopping: WaitingStop | None
    workload: AgentWorkload


class AgentsMade(Out):
    """The agents that were made at once."""

    items: list[Agent]
    total: int


class ActionRefusal(Out):
    """Why one agent of several was not changed: the problem document that it alone would have got."""

    model_config = ConfigDict(extra="allow")

    status: int
    code: str
    title: str
    detail: str


class ActionResult(Out):
    """What an action did to one agent."""

    id: int
    ok: bool
    error: ActionRefusal | None


class ActionResults(Out):
    """What an action did to each of the named agents, in the order they were named."""

    items: list[ActionResult]
    succeeded: int
    failed: int
