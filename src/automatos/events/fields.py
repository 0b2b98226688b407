"""Fields that several events have, and what events are made of."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

Order = Annotated[int, Field(description="Which step of the run, from 1.")]
TurnNumber = Annotated[int, Field(description="Which answer or tool result of the step, from 1.")]
AgentId = Annotated[int, Field(description="The agent of the step.")]
AgentName = Annotated[str, Field(description="The name of that agent.")]
Dollars = Annotated[str | None, Field(description="US dollars; null while the price of a call is unknown.")]
KnownDollars = Annotated[str | None, Field(description="The sum of those calls whose price is known.")]
Unpriced = Annotated[int, Field(description="How many calls have no known price.")]
Estimated = Annotated[bool, Field(description="Whether tokens were estimated, because a provider did not tell.")]
CutOff = Annotated[bool, Field(description="Whether an answer ran into its limit, so that it is not whole.")]
InputTokens = Annotated[int, Field(description="Tokens that were sent.")]
GraphPath = Annotated[str | None, Field(description="Where the step is in a graph, such as `rows[3].check`.")]
OutputTokens = Annotated[int, Field(description="Tokens that were answered.")]


@dataclass(slots=True, kw_only=True)
class Failure:
    """Why a step or a run did not do what it should."""

    code: Annotated[str, Field(description="The stable name of the error, for programs.")]
    message: Annotated[str, Field(description="What happened.")]
    next_step: Annotated[str, Field(description="What to do about it.")] = ""

    @classmethod
    def of(cls, error: dict[str, Any]) -> "Failure":
        """Return an error as rows keep it."""
        return cls(code=error["code"], message=error["message"], next_step=error.get("next_step") or "")


@dataclass(slots=True, kw_only=True)
class QueuedStep:
    """A step that the run will come to."""

    order: Order
    step_id: Annotated[str, Field(description="Its name in the recipe.")]
    agent_id: Annotated[int | None, Field(description="The agent of the step; null where no agent does it.")]
    agent_name: AgentName
    output_key: Annotated[str, Field(description="The name under which later steps find its answer.")]
    kind: Annotated[Literal["for_each", "approval", "wait", "run"] | None, Field(
        description="What it does where no agent does it.")] = None


@dataclass(slots=True, kw_only=True)
class WantedCall:
    """A call of a tool that a model asks for."""

    id: Annotated[str, Field(description="The provider's name for the call.")]
    name: Annotated[str, Field(description="The tool.")]
    arguments: Annotated[str, Field(description="Its arguments as the model wrote them, meant to be JSON.")]


@dataclass(slots=True, kw_only=True)
class StepEvent:
    """What happens within a step."""

    order: Order
