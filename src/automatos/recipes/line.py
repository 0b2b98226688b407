"""A line of steps in the hands of one process: it knows all of the run, so it can say what follows a step's end."""

from copy import copy
from dataclasses import dataclass, field

from automatos.events.service import recorded
from automatos.events.types import ExecutionPaused, ExecutionWaiting
from automatos.kernel.errors import DatabaseUnavailable, Problem
from automatos.recipes.ending import closing
from automatos.recipes.pending import Onward, Pending
from automatos.recipes.planning import RecipePlan, end_of, records_of
from automatos.recipes.state import ExecutionState, StepState
from automatos.recipes.step_runner import StepRunner
from automatos.recipes.team import Team
from automatos.recipes.types import ExecutionStatus
from automatos.runs.service import Finish, advance
from automatos.runs.types import RunStatus, StepPath
from automatos.runtime.types import Run

WAITS = {"full": ExecutionWaiting, "held": ExecutionPaused}
STATUS_OF = {"full": ExecutionStatus.WAITING, "held": ExecutionStatus.PAUSED}


@dataclass
class Line:
    """What this process knows of a run whose steps come one after the other."""

    _plan: RecipePlan
    _state: ExecutionState
    _team: Team
    _runner: StepRunner
    _prepared: Run | None = field(default=None, init=False)

    async def after_end(self) -> Onward | None:
        """Return what follows now that a step is over; None where that cannot be said without asking the database."""
        records = records_of({StepPath(step.step.step_id): step.status for step in self._state.steps.values()})
        answer = advance(self._plan.graph, records, inputs=self._state.input_data)
        if answer.finished:
            return self._end(answer.finished)
        step = next(step for step in self._state.steps.values() if step.step.step_id == answer.ready[0].node.key)
        try:
            return await self._begin(step)
        except DatabaseUnavailable:
            return None  # says nothing about the step: the slow way waits for the database

    def waiting(self, step: StepState, why: str) -> Onward:
        """Return what follows where the next step's agent has no place (`full`), is paused (`held`) or stopping."""
        kind = WAITS.get(why)
        told = [recorded(kind(order=step.step.order, agent_id=step.step.agent_id, agent_name=step.agent_name))
                ] if kind else []
        return Onward(Pending(told), step, self._team.priority(step.step.agent_id), waits=True,
                      ending={"status": STATUS_OF[why]} if kind else None)

    def begun(self, step: StepState) -> None:
        """Take up the step that follows; one that could not be prepared says why when it is run."""
        if self._prepared:
            self._runner.begun(step, self._prepared)

    async def _begin(self, step: StepState) -> Onward:
        self._prepared, gathered, step.path = None, Pending(), StepPath(step.step.step_id)
        self._state.epoch = 1
        try:
            self._prepared, event = await self._runner.prepare(step)
        except DatabaseUnavailable:
            raise
        except Problem:
            step.prompt = ""  # it begins without a run, and says why when it is run
        else:
            run = self._prepared
            gathered = Pending([recorded(event)], runs=[{
                "id": run.id, "agent_id": run.agent_id, "execution_id": self._state.id,
                "opening": run.run_input}])
        return Onward(gathered, step, self._team.priority(step.step.agent_id))

    def _end(self, finish: Finish) -> Onward:
        failed = next((step for step in self._state.steps.values() if step.step.step_id == finish.failed), None)
        # A copy: where something else happened meanwhile, the run does not end so.
        state = copy(self._state)
        event = closing(state, *end_of(state, RunStatus(finish.status), failed.error if failed else None))
        return Onward(Pending([recorded(event)]), output=state.output_data, ending={
            "status": state.status, "finished_at": state.finished_at, "error": state.error})
