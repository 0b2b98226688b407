"""What can go wrong with recipes and their executions."""

import asyncio
from collections.abc import Sequence
from typing import Any

from automatos.kernel.errors import NotFound, Problem
from automatos.runs.errors import StepLost


class RecipeNotFound(NotFound):
    """The workspace has no such recipe."""

    code = "recipe_not_found"
    title = "No such recipe"

    def __init__(self, template_id: str) -> None:
        super().__init__(
            f"This workspace has no recipe {template_id[:100]!r}. List them with GET /api/workflow-recipes.")


class ExecutionNotFound(NotFound):
    """The workspace has no such run."""

    code = "run_not_found"
    title = "No such run"

    def __init__(self, execution_id: object) -> None:
        super().__init__(f"This workspace has no run {str(execution_id)[:64]}. List them with GET /api/runs.")


class RecipeInvalid(Problem):
    """The definition has faults; `faults` names each with its place and, in prompts, its position."""

    status = 422
    code = "recipe_invalid"
    title = "The recipe is not valid"

    def __init__(self, faults: list[dict[str, Any]]) -> None:
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(f"{first['where']}: {first['message']}{more}. Nothing was saved.", faults=faults)


class RecipeNotReady(Problem):
    """At least one step's agent is not active, its model cannot be asked or its pattern is gone; each is named.

    The step may be of a recipe that it runs, which may be gone, too.
    """

    status = 409
    code = "recipe_not_ready"
    title = "The recipe cannot start now"

    def __init__(self, idle: list[str], faults: list[str] | None = None) -> None:
        if faults:
            super().__init__(f"{' '.join(faults)} Nothing was started.", faults=faults)
        else:
            super().__init__(f"These agents are not active: {', '.join(idle)}. Activate them, then cook again.")


class TemplateIdTaken(Problem):
    """Another recipe of the workspace has this template_id."""

    status = 409
    code = "template_id_taken"
    title = "The template_id is taken"

    def __init__(self, template_id: str) -> None:
        super().__init__(f"A recipe {template_id!r} exists already. Choose another template_id, or update that one.")


class RecipeNeeded(Problem):
    """Steps of other recipes run this one."""

    status = 409
    code = "recipe_needed"
    title = "Other recipes run this recipe"

    def __init__(self, template_id: str, others: Sequence[str]) -> None:
        those = ", ".join(others)
        super().__init__(f"Recipe {template_id!r} is run by steps of: {those}. Change those recipes first.")


class IdempotencyKeyReused(Problem):
    """The same Idempotency-Key came with a different request."""

    status = 422
    code = "idempotency_key_reused"
    title = "The Idempotency-Key was used for another request"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key started another execution with other inputs. Use a new key for a new one.")


class InputsInvalid(Problem):
    """The inputs do not fit what the recipe declares."""

    status = 422
    code = "inputs_invalid"
    title = "The inputs do not fit the recipe"

    def __init__(self, faults: list[dict[str, Any]]) -> None:
        super().__init__("; ".join(f"{f['where']}: {f['message']}" for f in faults[:5]) + ".", faults=faults)


class ExecutionOver(Problem):
    """The run has ended; a final state never changes."""

    status = 409
    code = "run_over"
    title = "The run has already ended"

    def __init__(self, status: str) -> None:
        super().__init__(
            f"The run is {status}; a run that has ended stays as it is. Cook the recipe again for a new one.")


class AgentNotEligible(Problem):
    """The agent takes no work now."""

    status = 409
    code = "agent_not_eligible"
    title = "The agent takes no work now"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name!r} was given nothing to do: {why}. Activate it, then try again.")
        self.name, self.why = name, why


class AgentNotExecutable(AgentNotEligible):
    """An agent was asked by name to work and takes no work now; the documented answer of its `/execute`."""

    status = 400


class AgentStopped(Problem):
    """The step's agent was stopped before the step ended."""

    status = 409
    code = "agent_stopped"
    title = "The step's agent was stopped"
    next_step = "Activate the agent, then start the work again."

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} was stopped before it had done this step. {self.next_step}")


class StepFailed(Problem):
    """A step of an execution gave no output."""

    status = 500
    code = "step_failed"
    title = "A step failed"


class StepTimedOut(StepFailed):
    """A step did not end within its time."""

    status = 504
    code = "step_timeout"
    title = "The step took too long"
    next_step = "Raise the time limit (timeout_s), or make the task smaller."

    def __init__(self, step_id: str, timeout_s: float) -> None:
        super().__init__(f"Step {step_id!r} took longer than {timeout_s:g} s. {self.next_step}")


class AnswerCutOff(Problem):
    """A step's answer was cut off by its limit, and the recipe wants whole answers."""

    status = 502
    code = "answer_cut_off"
    title = "The answer was cut off"
    next_step = "Raise max_tokens of the agent, ask for a shorter answer, or set on_cut_off to continue."

    def __init__(self, step_id: str) -> None:
        super().__init__(f"The answer of step {step_id!r} ran into its limit and is not whole. {self.next_step}")


class OutputInvalid(Problem):
    """The run did not give what its recipe declares."""

    status = 502
    code = "output_invalid"
    title = "The recipe's outputs are not as declared"
    next_step = "Ask for that form in the step's prompt, or change the outputs that the recipe declares."

    def __init__(self, faults: list[str]) -> None:
        super().__init__(f"The steps ended, but not all declared outputs were given: {'; '.join(faults[:5])}. "
                         f"{self.next_step}")


class AgentGone(Problem):
    """The step's agent was deleted after the recipe was saved."""

    status = 409
    code = "agent_gone"
    title = "The step's agent no longer exists"

    def __init__(self, agent_id: int) -> None:
        super().__init__(f"Agent {agent_id} was deleted. Choose another agent for the step, save, and cook again.")


class PatternGone(Problem):
    """The pattern that a step names was deleted after the recipe was saved."""

    status = 409
    code = "pattern_gone"
    title = "The step's pattern no longer exists"
    next_step = "Choose another pattern for the step or none, save, and cook again."

    def __init__(self, step_id: str, slug: str) -> None:
        super().__init__(f"Step {step_id!r} names the pattern {slug!r}, which was deleted. {self.next_step}")


class WorkerLost(Problem):
    """A step was given up because its workers died while they did it."""

    status = 500
    code = "worker_lost"
    title = "The step was given up"
    next_step = "Read the server's log for what stopped the workers, then start it again."

    def __init__(self, why: str) -> None:
        super().__init__(f"The step was given up: {why}. {self.next_step}")


class CancelRequested(asyncio.CancelledError):
    """Somebody asked to cancel the execution, and the signal to this worker has not come yet."""


class LeaseLost(StepLost):
    """Another worker has taken this execution over; whatever we hold of it is old."""
