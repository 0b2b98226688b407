"""What can end a run early."""

from automatos.kernel.errors import Problem


class RunLimitReached(Problem):
    """The run used up its turns or tokens without an answer."""

    status = 409
    code = "run_limit_reached"
    title = "The agent reached a limit of its run"
