"""What a step says of when it comes and what it does, in a recipe that is more than a line."""

from typing import Annotated, Literal

import orjson
from pydantic import Field, JsonValue, StringConstraints, field_validator, model_validator

from automatos.kernel.schemas import Body, Out, SingleLine

TemplateId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_\-]{0,99}$")]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_\-]{0,99}$")]
MAX_WAIT_S = 366 * 86_400
MAX_RUN_INPUTS_BYTES = 100_000


class ForEach(Body):
    """The steps `inside` this one are done for each item of a list."""

    items: Annotated[str, StringConstraints(min_length=1, max_length=110), SingleLine] = Field(
        description="`input.NAME` of an array, or a step before this one whose answer is a list in JSON.")
    concurrency: int = Field(10, ge=1, le=100, description="How many items are worked on at once.")
    max_failures: int = Field(0, ge=0, le=10_000, description="How many items may fail.")


class Approval(Body):
    """A person decides whether the run goes on; the step's prompt says what about."""

    role: Literal["editor", "admin", "owner"] = Field("editor", description="Who may decide, at least.")
    timeout_s: int | None = Field(None, ge=1, le=MAX_WAIT_S, description="How long it waits before it fails.")


class Wait(Body):
    """The run goes on after a time, or when somebody sends it a signal, whose data is the step's output."""

    seconds: int | None = Field(None, ge=1, le=MAX_WAIT_S)
    signal: Key | None = Field(None, description="The name under which it is sent to the run, once.")
    timeout_s: int | None = Field(None, ge=1, le=MAX_WAIT_S, description="How long it waits for a signal.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "Wait":
        if (self.seconds is None) == (self.signal is None):
            raise ValueError("waits for `seconds` or for a `signal`")
        if self.timeout_s and not self.signal:
            raise ValueError("has timeout_s only with a signal; `seconds` is a time already")
        return self


class RunRecipe(Body):
    """A recipe of this workspace that is run; what it gives is the step's output."""

    recipe: TemplateId = Field(description="Its template_id; the version it has when the step begins is run.")
    inputs: dict[Key, JsonValue] = Field(
        default_factory=dict[str, JsonValue], max_length=100,
        description="What it is given, by name; texts have placeholders as prompts do, and are read as JSON where the "
                    "recipe wants no text.")

    @field_validator("inputs")
    @classmethod
    def _not_huge(cls, values: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if len(orjson.dumps(values)) > MAX_RUN_INPUTS_BYTES:
            raise ValueError(f"is longer than {MAX_RUN_INPUTS_BYTES} bytes of JSON")
        return values


class Flow(Out):
    """When a step comes and what it does, in a recipe that is more than a line."""

    needs: list[Key] | None = Field(
        None, max_length=100,
        description="The steps it comes after; none for at once, and the step before it where nothing is said.")
    when: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = Field(
        None, description="A condition in CEL over `input.NAME` and `steps.KEY.output`; without it the step is done.")
    inside: Key | None = Field(None, description="The for_each step that repeats this one.")
    for_each: ForEach | None = None
    approval: Approval | None = None
    wait: Wait | None = None
    run: RunRecipe | None = Field(None, description="The recipe that the step runs.")
