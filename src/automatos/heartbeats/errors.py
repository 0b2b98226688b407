"""What can go wrong with heartbeats."""

from automatos.heartbeats.types import MAX_RUNNING
from automatos.kernel.errors import Problem


class HeartbeatRunning(Problem):
    """An agent checks in once at a time."""

    status = 409
    code = "heartbeat_running"
    title = "A heartbeat of this agent is running"

    def __init__(self, agent_name: str) -> None:
        super().__init__(f"A heartbeat of {agent_name!r} is running. Wait for its result, or cancel its run.")


class TooManyHeartbeats(Problem):
    """A workspace has only so many heartbeats at work at a time."""

    status = 409
    code = "too_many_heartbeats"
    title = "Too many heartbeats are running"

    def __init__(self) -> None:
        super().__init__(f"{MAX_RUNNING} heartbeats of this workspace are running, which is the most at a time. Try "
                         "again when one has ended.")


class HoursUnreadable(Exception):
    """The workspace's active hours have values that mean nothing; no beat happens until they are corrected."""
