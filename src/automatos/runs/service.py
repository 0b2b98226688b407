"""Verbs of runs, for the packages above."""

from automatos.runs.advance import advance
from automatos.runs.budgets import RunBudget
from automatos.runs.conditions import Condition, compile_condition
from automatos.runs.driver import change_of, go_on
from automatos.runs.forking import carried_over
from automatos.runs.graph import Edge, Finish, ForEach, Graph, Node, PlannedRun, Planner, StepRecord
from automatos.runs.notes import note_end
from automatos.runs.pausing import pause_run, resume_run
from automatos.runs.queries import finish_jobs, item_of, lock, place_of, record_step, take_step
from automatos.runs.signals import signal_run
from automatos.runs.steps import begin_run, cancel_run, decide_step, fail_run, follow_untaken, tell_followed
from automatos.runs.validation import faults_of as graph_faults

__all__ = ["Condition", "Edge", "Finish", "ForEach", "Graph", "Node", "PlannedRun", "Planner", "RunBudget",
           "StepRecord", "advance", "begin_run", "cancel_run", "carried_over", "change_of",
           "compile_condition", "decide_step", "fail_run", "finish_jobs", "follow_untaken", "go_on", "graph_faults",
           "item_of", "lock", "note_end", "pause_run", "place_of", "record_step", "resume_run", "signal_run",
           "take_step", "tell_followed"]
