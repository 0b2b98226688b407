"""Verbs of runs, for the rooms above."""

from automatos.runtime.context import fence, storable
from automatos.runtime.ledger import account_for
from automatos.runtime.loop import Desk, run_agent
from automatos.runtime.notes import RunNotes
from automatos.runtime.queries import runs_of_executions
from automatos.runtime.records import opening_to_json, read_run, read_turns, turns_to_json
from automatos.runtime.runtime import AgentFactory, AgentRuntime
from automatos.runtime.skill_tools import WorkspaceShelf

__all__ = ["AgentFactory", "AgentRuntime", "Desk", "RunNotes", "WorkspaceShelf", "account_for", "fence",
           "opening_to_json", "read_run", "read_turns", "run_agent", "runs_of_executions", "storable", "turns_to_json"]
