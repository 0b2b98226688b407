"""What can end a run early, or stop it for a while."""

from automatos.kernel.errors import Problem


class Frozen(Exception):
    """The run was asked to stop between two turns; what it has recorded is where it goes on."""


class RunLimitReached(Problem):
    """The run used up its turns or tokens without an answer."""

    status = 409
    code = "run_limit_reached"
    title = "The agent reached a limit of its run"
