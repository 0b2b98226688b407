"""Verbs of runs, for the rooms above."""

from automatos.runs.context import fence, storable
from automatos.runs.ledger import account_for
from automatos.runs.loop import Desk, run_agent
from automatos.runs.notes import RunNotes
from automatos.runs.records import opening_to_json, read_run, read_turns, turns_to_json
from automatos.runs.runtime import AgentFactory, AgentRuntime
from automatos.runs.skill_tools import WorkspaceShelf

__all__ = ["AgentFactory", "AgentRuntime", "Desk", "RunNotes", "WorkspaceShelf", "account_for", "fence",
           "opening_to_json", "read_run", "read_turns", "run_agent", "storable", "turns_to_json"]
