"""Verbs of runs, for the packages above."""

from automatos.runtime.ledger import account_for
from automatos.runtime.loop import AgentDeps, run_agent
from automatos.runtime.notes import RunNotes
from automatos.runtime.queries import forget_setups, runs_of_executions
from automatos.runtime.records import read_run, read_turns, turns_to_json
from automatos.runtime.runtime import AgentFactory, AgentRuntime
from automatos.runtime.skill_tools import WorkspaceSkillLoader
from automatos.runtime.transcript import fence, storable

__all__ = [
           "AgentDeps",
           "AgentFactory",
           "AgentRuntime",
           "RunNotes",
           "WorkspaceSkillLoader",
           "account_for",
           "fence",
           "forget_setups",
           "read_run",
           "read_turns",
           "run_agent",
           "runs_of_executions",
           "storable",
           "turns_to_json",
]
