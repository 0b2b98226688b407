"""What can end a run early, or stop it for a while."""

from automatos.kernel.errors import Problem


class RunPaused(Exception):
    """The run was asked to stop between two turns; what it has recorded is where it goes on."""


class NoProgress(Problem):
    """The agent only repeats calls that it has made already."""

    status = 409
    code = "no_progress"
    title = "The agent goes in circles"
    next_step = "Give the step a clearer task, or the agent another tool or model, and start it again."


class RunLimitReached(Problem):
    """The run used up its turns or tokens without an answer."""

    status = 409
    code = "run_limit_reached"
    title = "The agent reached a limit of its run"
