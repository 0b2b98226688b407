"""What clients send and get about recipes and runs."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from automatos.agents.service import AgentDefinition
from automatos.kernel.schemas import Body, Out, SingleLine
from automatos.recipes.flow_schemas import Flow, Key, TemplateId
from automatos.recipes.types import Accepted, Backoff, ErrorHandling, ExecutionStatus, OnCutOff

Tag = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=50), SingleLine]
PatternSlug = Annotated[str, StringConstraints(min_length=1, max_length=100), SingleLine]
Prompt = Annotated[str, StringConstraints(max_length=100_000)]
MAX_STEPS = 200
MAX_INPUT_BYTES = 1_000_000


ValueType = Literal["string", "number", "integer", "boolean", "array", "object"]


class InputSpec(Body):
    """One declared input of a recipe."""

    type: ValueType = "string"
    required: bool = False
    default: JsonValue = None
    description: str = Field("", max_length=1000)


class OutputSpec(Body):
    """One declared output of a recipe: the answer of the step of that `output_key`, or of the one that `from` names.

    Without such a step it is the last answer, or that answer's member of its name. What is not of its type fails the
    run. It is null when its step was skipped, unless it is required.
    """

    type: ValueType = "string"
    source: Key | None = Field(None, alias="from", description="The output_key or the step_id of a step.")
    required: bool | None = None
    description: str | None = Field(None, max_length=1000)


class StepFields(Flow, Body):
    """What a step says wherever it is written."""

    step_id: Key
    prompt_template: Prompt = Field("", validate_default=True)
    output_key: Key | None = None
    error_handling: ErrorHandling = "stop"
    max_retries: int | None = Field(None, ge=0, le=10)
    max_iterations: int | None = Field(None, ge=1, le=200)
    timeout_s: int | None = Field(None, ge=1, le=86_400)
    on_cut_off: OnCutOff | None = Field(None, description="What follows an answer that its limit cut off.")
    pattern_slug: PatternSlug | None = Field(
        None, description="A pattern whose words follow the step's prompt, as they are when the run begins to work.")


    @field_validator("prompt_template")
    @classmethod
    def _is_asked(cls, prompt: str, info: ValidationInfo) -> str:
        if not prompt and not any(info.data.get(name) for name in ("for_each", "wait", "run")):
            raise ValueError("says what is to be done, or decided")
        return prompt


def has_agent(agent: Any, info: ValidationInfo) -> Any:
    """Refuse a step that an agent does and that names none."""
    if agent is None and not any(info.data.get(name) for name in ("for_each", "approval", "wait", "run")):
        raise ValueError("names the agent that does this step")
    return agent


class StepIn(StepFields):
    """One step as clients write it."""

    order: int = Field(ge=1, le=1000)
    agent_id: Annotated[int | None, Field(
        ge=1, le=2**31 - 1, validate_default=True, description="Who does it, where an agent does."),
        AfterValidator(has_agent)] = None


class ExecutionConfigIn(Body):
    """How a recipe is executed; what is left out falls back to each step's agent."""

    mode: Literal["sequential"] = "sequential"
    max_retries: int | None = Field(None, ge=0, le=10)
    retry_delay_ms: int = Field(1000, ge=0, le=60_000)
    backoff_strategy: Backoff = "exponential"
    per_step_timeout_s: int | None = Field(None, ge=1, le=86_400)
    total_timeout_s: int = Field(3600, ge=1, le=604_800)
    max_total_tokens: int | None = Field(None, ge=1, le=100_000_000)
    on_cut_off: OnCutOff = Field(
        "continue", description="What follows an answer that its limit cut off: later steps go on, or the step fails.")


class RecipeFields(Body):
    """What a recipe says wherever it is written."""

    name: Annotated[str, SingleLine] = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=10_000)
    tags: list[Tag] = Field(default_factory=list[str], max_length=50)
    inputs: dict[Key, InputSpec] = Field(default_factory=dict[str, InputSpec], max_length=100)
    outputs: dict[Key, OutputSpec] = Field(default_factory=dict[str, OutputSpec], max_length=100)
    execution_config: ExecutionConfigIn = Field(default_factory=ExecutionConfigIn)  # pyright: ignore[reportArgumentType]

    @field_validator("tags")
    @classmethod
    def _once(cls, tags: list[str]) -> list[str]:
        return list(dict.fromkeys(tags))

    @property
    def stored_outputs(self) -> dict[str, Any]:
        """The declared outputs as they are stored and shown."""
        return {name: spec.model_dump(mode="json", by_alias=True, exclude_none=True)
                for name, spec in self.outputs.items()}


class RecipeBody(RecipeFields):
    """What a recipe consists of, apart from its template_id."""

    steps: list[StepIn] = Field(min_length=1, max_length=MAX_STEPS)


class RecipeCreate(RecipeBody):
    """A new recipe."""

    template_id: TemplateId


class RecipeUpdate(RecipeBody):
    """A recipe's next version, whole."""


class ExecutionStart(Body):
    """Inputs of one execution, by name."""

    input_data: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue], max_length=100)

    @field_validator("input_data")
    @classmethod
    def _not_huge(cls, values: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if len(orjson.dumps(values)) > MAX_INPUT_BYTES:
            raise ValueError(f"is longer than {MAX_INPUT_BYTES} bytes of JSON")
        return values


class ForkStart(ExecutionStart):
    """Where a run begins with the outputs of one that is over; inputs that are not given stay as they were."""

    from_step: Annotated[str, StringConstraints(min_length=1, max_length=100), SingleLine] = Field(
        description="The step_id of the step to begin at.")


class FileStep(StepFields):
    """A step in a recipe file: names its agent."""

    agent: Annotated[str | None, Field(min_length=1, max_length=255, validate_default=True),
                     AfterValidator(has_agent)] = None
    order: int | None = Field(None, ge=1, le=1000, description="The place where it stands, which need not be said.")

    def as_given(self, order: int, agent_id: int | None) -> dict[str, Any]:
        """Return the step as clients of the API write it: numbered, its agent by id."""
        return {**self.model_dump(exclude={"agent"}), "order": order, "agent_id": agent_id}


class FileRecipe(RecipeFields):
    """The recipe part of a recipe file; steps are in the order they are written."""

    template_id: TemplateId
    steps: list[FileStep] = Field(min_length=1, max_length=MAX_STEPS)

    @field_validator("steps")
    @classmethod
    def _in_order(cls, steps: list[FileStep]) -> list[FileStep]:
        for place, step in enumerate(steps, start=1):
            if step.order not in {None, place}:
                raise ValueError(f"step {step.step_id!r} stands at place {place}, not {step.order}; move it or leave "
                                 "order out")
        return steps


class RecipeFile(Body):
    """A recipe with its agents, as one document."""

    api_version: Literal["automatos/v1"] = Field(alias="apiVersion")
    kind: Literal["Recipe"]
    agents: list[AgentDefinition] = Field(default_factory=list[AgentDefinition], max_length=100)
    recipe: FileRecipe

    @model_validator(mode="after")
    def _agents_once(self) -> "RecipeFile":
        names = [agent.name.lower() for agent in self.agents]
        if len(set(names)) < len(names):
            raise ValueError("two agents have the same name")
        return self


class StepAgent(Out):
    """The agent of a step, as far as a recipe shows it."""

    id: int
    name: str
    status: str


class StepOut(Flow):
    """One step of a recipe."""

    step_id: str
    order: int
    agent_id: int | None
    agent: StepAgent | None = None
    prompt_template: str
    output_key: str
    error_handling: ErrorHandling = "stop"
    max_retries: int | None = None
    max_iterations: int | None = None
    on_cut_off: OnCutOff | None = None
    timeout_s: int | None = None
    pattern_slug: str | None = None


class LastRun(Out):
    """How a recipe last ended."""

    id: UUID
    status: ExecutionStatus
    finished_at: datetime | None


class DeclaredInput(Out):
    """One input that a recipe declares."""

    type: ValueType = "string"
    required: bool = False
    default: JsonValue = None
    description: str = ""


class RecipeOut(Out):
    """A recipe as it is now."""

    id: int
    workspace_id: UUID
    template_id: str
    name: str
    description: str
    tags: list[str]
    inputs: dict[str, DeclaredInput]
    outputs: dict[str, Any]
    steps: list[StepOut]
    execution_config: dict[str, Any]
    version: int
    use_count: int
    last_used_at: datetime | None
    last_run: LastRun | None = None
    created_at: datetime
    updated_at: datetime
    created_by: str


class RecipeList(Out):
    """One page of recipes."""

    items: list[RecipeOut]
    total: int
    skip: int
    limit: int


class VersionOut(Out):
    """One saved version of a recipe."""

    version: int
    author: str
    created_at: datetime
    definition: dict[str, Any]


class VersionList(Out):
    """A recipe's versions, newest first."""

    items: list[VersionOut]
    total: int


class RecipeFault(Out):
    """One thing wrong with a recipe: the field, and in prompts the place, which other faults have none of."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    where: str
    message: str
    line: int | None = None
    column: int | None = None


class Verdict(Out):
    """Whether a definition could be saved, and every fault of it."""

    is_valid: bool
    faults: list[RecipeFault]


class AppliedAgent(Out):
    """What applying a file did with one agent."""

    id: int
    name: str
    action: Literal["created", "updated", "unchanged"]


class Applied(Out):
    """What applying a recipe file did."""

    recipe: RecipeOut
    agents: list[AppliedAgent]
    action: Literal["created", "updated", "unchanged"]


class Started(Out):
    """An execution that was accepted; follow it at `events_url`."""

    run_id: UUID
    recipe_execution_id: UUID = Field(description="`run_id`, under the name of earlier clients.")
    recipe_id: str
    status: ExecutionStatus
    total_steps: int
    message: str
    events_url: str
    url: str

    @classmethod
    def of(cls, accepted: Accepted, template_id: str, workspace_id: UUID) -> "Started":
        """Say that an execution was accepted, or that the request had started it before."""
        run_id = accepted.execution_id
        return cls(
            run_id=run_id, recipe_execution_id=run_id, recipe_id=template_id, status=ExecutionStatus.QUEUED,
            total_steps=len(accepted.definition.steps),
            message="This Idempotency-Key already started this execution." if accepted.is_repeat else "Queued.",
            events_url=f"/api/runs/{run_id}/events", url=f"/w/{workspace_id}/runs/{run_id}")
