"""What is left of a run's tokens, shared out among its steps: each request takes its part before it is made."""

from dataclasses import dataclass
from uuid import UUID

from automatos.kernel.db import Database
from automatos.runs import queries
from automatos.runs.errors import BudgetExceeded, StepLost

GRACE_S = 60.0
"""So long after the time of its request a reservation is still kept, for the record of what was used."""


@dataclass(frozen=True, slots=True)
class RunBudget:
    """The tokens of one run, and of the runs above it, as one step's writer takes of them.

    `limit` is what all steps of the run itself may use together, if it says so; those above it say theirs.
    """

    database: Database
    workspace_id: UUID
    run_id: UUID
    order: int
    epoch: int
    limit: int | None

    async def reserve(self, wanted: int, needed: int, seconds: float) -> int | None:
        """Take tokens for one request of so many seconds and return how many: as wanted, or all that is left.

        They are given back by the next record of the step. None while other steps' requests hold what is wanted: ask
        again. What this step had reserved before is given back first.

        Raises:
            BudgetExceeded: what is left is less than needed, whatever the others give back.
            StepLost: somebody else writes the step by now, or the run is over.
        """
        async with self.database.recording(self.workspace_id) as connection:
            row = await queries.reserve_tokens(
                connection, self.workspace_id, self.run_id, self.order, self.epoch, wanted, needed, self.limit,
                seconds + GRACE_S)
        if row["answer"] == "exceeded":
            raise BudgetExceeded(row["used"], needed, row["allowed"])
        if row["answer"] == "lost":
            raise StepLost(str(self.run_id))
        return row["granted"]
