"""Verbs of runs, for the rooms above."""

from automatos.runtime.ledger import account_for
from automatos.runtime.loop import Desk, run_agent
from automatos.runtime.notes import RunNotes
from automatos.runtime.queries import forget_setups, runs_of_executions
from automatos.runtime.records import read_run, read_turns, turns_to_json
from automatos.runtime.runtime import AgentFactory, AgentRuntime
from automatos.runtime.skill_tools import WorkspaceShelf
from automatos.runtime.transcript import fence, storable

__all__ = ["AgentFactory", "AgentRuntime", "Desk", "RunNotes", "WorkspaceShelf", "account_for", "fence",
           "forget_setups", "read_run", "read_turns", "run_agent", "runs_of_executions", "storable", "turns_to_json"]
