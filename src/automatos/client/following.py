"""Where a reader of a run's events stands: what was seen, and how long nobody has answered."""

import json
import time

from automatos.client.errors import ApiProblem, ClientError
from automatos.client.frames import Frame
from automatos.client.requests import PASSING, PAUSES_S, Call, part
from automatos.client.types import RunEvent

PATIENCE_S = 60.0


class Following:
    """One run followed over as many connections as it takes: each fact once and in order."""

    def __init__(self, run_id: str, after: int, patience_s: float = PATIENCE_S) -> None:
        self.run_id = run_id
        self.seen = after
        self._patience_s = patience_s
        self._tries = 0
        self._silent_since = time.monotonic()

    def call(self) -> Call:
        """Return the request for everything after what was seen."""
        return Call(method="GET", path=f"/api/runs/{part(self.run_id)}/events",
                    headers={"Accept": "text/event-stream", "Last-Event-ID": str(self.seen)})

    def take(self, frame: Frame) -> RunEvent | None:
        """Return the event of a frame, None for a fact that was seen before; text being written has no number."""
        told = json.loads(frame.data)
        if 0 < told["seq"] <= self.seen:
            return None
        self.seen = max(told["seq"], self.seen)
        self.answered()
        return RunEvent(told["seq"], told["type"], told["at"], told["data"], frame.data)

    def answered(self) -> None:
        """Note that the server is there."""
        self._tries, self._silent_since = 0, time.monotonic()

    def pause_after(self, failure: ClientError | None) -> float:
        """Return how long to wait before the next connection; raises what will not pass, and what did not in time."""
        is_passing = not isinstance(failure, ApiProblem) or failure.status in PASSING or failure.status == 500
        if failure is not None and not (is_passing and time.monotonic() - self._silent_since < self._patience_s):
            raise failure
        pause = PAUSES_S[min(self._tries, len(PAUSES_S) - 1)]
        self._tries += 1
        return pause
