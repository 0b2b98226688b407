"""What can be wrong with conditions, and with steps that wait."""

from collections.abc import Collection

from automatos.kernel.errors import NotFound, Problem


class ConditionInvalid(ValueError):
    """A text is no condition; the message says where it goes wrong and what can be written instead."""


class ConditionFailed(ValueError):
    """A condition has no answer for these values; the message says why and what to do."""


class StepNotFound(NotFound):
    """The run has no such step, or the workspace no such run."""

    code = "step_not_found"
    title = "No such step"

    def __init__(self, run_id: object, order: int) -> None:
        super().__init__(f"This workspace has no run {run_id} with a step {order}. Read it with GET /api/runs/RUN_ID.")


class StepNotWaiting(Problem):
    """The step waits for no decision."""

    status = 409
    code = "step_not_waiting"
    title = "The step waits for no decision"

    def __init__(self, step_id: str, status: str) -> None:
        super().__init__(f"Step {step_id!r} is {status} and waits for no decision. Read the run for where it is.")


class StepAlreadyDecided(Problem):
    """Somebody has decided already."""

    status = 409
    code = "step_already_decided"
    title = "The step is decided"

    def __init__(self, step_id: str, by: str, *, is_approved: bool) -> None:
        said = "approved" if is_approved else "refused"
        super().__init__(f"Step {step_id!r} was {said} by {by}. A decision stays as it is; start the run again.")


class ApprovalNotAllowed(Problem):
    """The caller's role is lower than the step asks for."""

    status = 403
    code = "approval_not_allowed"
    title = "You may not decide this"

    def __init__(self, role: str) -> None:
        super().__init__(f"This step is decided by the role {role} or a higher one. Ask somebody who has it.")


class StepLost(Exception):
    """Somebody else writes the step by now, or its run is over; whatever we hold of it is old."""


class BudgetExceeded(Problem):
    """The run has not as many tokens left as a request needs."""

    status = 409
    code = "budget_exceeded"
    title = "The run's budget is used up"
    next_step = "Raise max_total_tokens of the recipe, or make its steps smaller, and start it again."

    def __init__(self, used: int, needed: int, limit: int) -> None:
        super().__init__(f"The run has used {used:,} of its {limit:,} tokens, and the next request needs at least "
                         f"{needed:,}. {self.next_step}")


class ForkNotPossible(Problem):
    """A run cannot begin with the outputs of this one at that step."""

    status = 409
    code = "fork_not_possible"
    title = "The run cannot be forked there"


class RunNotPaused(Problem):
    """Nobody has paused the run."""

    status = 409
    code = "run_not_paused"
    title = "Nobody has paused the run"

    def __init__(self, status: str) -> None:
        super().__init__(f"The run is {status}, and nobody has paused it. If it waits for a paused agent, resume that.")


class SignalUnknown(Problem):
    """No step of the run waits for such a signal."""

    status = 409
    code = "signal_unknown"
    title = "The run waits for no such signal"

    def __init__(self, name: str, known: Collection[str]) -> None:
        those = f"It waits for: {', '.join(sorted(known))}." if known else "No step of it has `wait: {signal: ...}`."
        super().__init__(f"No step of the run waits for a signal {name!r}. {those}")


class SignalAlreadySent(Problem):
    """The run has this signal already."""

    status = 409
    code = "signal_already_sent"
    title = "The signal was sent before"

    def __init__(self, name: str) -> None:
        super().__init__(f"The run has the signal {name!r} already; the first stays. Start the run again for another.")
