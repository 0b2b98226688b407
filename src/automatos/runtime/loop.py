"""The model-tool loop: one agent works on one prompt until it answers or a limit ends it.

Every turn is recorded before the next begins, so a run goes on after its last recorded turn wherever it is taken up.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from automatos.events import types as events
from automatos.kernel.schemas import micro_to_text
from automatos.llm.service import ModelClient
from automatos.llm.types import CallContext, Completion, Message, ToolCall
from automatos.runtime.budgeted import BudgetedRequest
from automatos.runtime.errors import NoProgress, RunLimitReached, RunPaused
from automatos.runtime.notes import RunNotes
from automatos.runtime.transcript import fence, items_of, items_to_json, storable
from automatos.runtime.types import (
    ITEMS,
    LOAD_SKILL,
    MAX_CALLS_PER_TURN,
    MAX_REASONING_CHARS,
    Answer,
    Budget,
    Journal,
    JsonObject,
    Run,
    RunInput,
    Turn,
)
from automatos.tools.service import Toolbox, ToolTracker
from automatos.tools.types import HandedTool, ResourceLimits, ToolContext, ToolResult

TOO_MANY = ToolResult(
    ok=False, output=f"Not run: at most {MAX_CALLS_PER_TURN} calls in one turn.", error_code="too_many_calls"
)
REPEATED = "repeated_call"
IDLE_TURNS = 3
"""So many turns in a row that only repeat calls end a run."""
REFUSALS = frozenset({TOO_MANY.error_code, REPEATED})
"""Errors of calls that were never made."""


@dataclass(frozen=True)
class AgentDeps:
    """What an agent works with: models, tools, the folder of its execution, time, and who is told how it goes.

    `retries_left` says how many more requests may follow a failed one, whoever makes them.
    `handed` are the tools that came with the agent's skills; `environment` says whose keys it uses.
    """

    client: ModelClient
    toolbox: Toolbox
    home: Path
    tool_timeout_s: float
    model_timeout_s: float
    retries_left: Callable[[], int] = lambda: 2
    pause_s: Callable[[int], float] | None = None
    tokens_of_failures: Callable[[], int] = lambda: 0
    handed: Mapping[str, HandedTool] = field(default_factory=dict[str, HandedTool])
    limits: ResourceLimits | None = None
    environment: str | None = None
    request_type: str = "recipe"
    notes: RunNotes | None = None
    is_paused: Callable[[], bool] = lambda: False
    budget: Budget | None = None


async def run_agent(run: Run, deps: AgentDeps, journal: Journal) -> Answer:
    """Work until the model answers without calling a tool, and return that answer.

    The answer's own turn is not recorded here: the caller records it together with what follows from it.

    Raises:
        RunLimitReached: turns or tokens are used up.
        NoProgress: the agent only repeats calls.
        RunPaused: `deps.is_paused` said so between two turns; nothing is lost.
        llm.errors.ModelProblem: the model gave no answer.
        Problem: the budget has no room for a request.
    """
    tracker: ToolTracker | None = None
    while True:
        last = _last_model_turn(run)
        missing = _missing_results(run, last) if last else []
        if deps.is_paused():
            raise RunPaused
        if last and missing:
            tracker = tracker or _tracker_of(run)
            await _call_tools(run, deps, journal, tracker, last, missing)
        elif last and not last.body["tool_calls"]:
            return Answer(last.body["text"], last, ())
        else:
            answer = await _ask_model(run, deps, journal)
            if answer:
                return answer


def _last_model_turn(run: Run) -> Turn | None:
    return max((turn for turn in run.turns if turn.kind == "model"), key=lambda turn: turn.seq, default=None)


def _missing_results(run: Run, last: Turn) -> list[tuple[int, ToolCall]]:
    """Return the calls of the last model turn that have no result yet, with their places in it."""
    answered = {turn.seq for turn in run.turns}
    return [(place, call) for place, call in enumerate(calls_of(last.body)) if last.seq + 1 + place not in answered]


def _tracker_of(run: Run) -> ToolTracker:
    """Rebuild what a run has called so far; a resumed run is held to the same limits."""
    return ToolTracker.from_calls(
        (turn.body["name"], _arguments(turn.body["arguments"]))
        for turn in run.turns if turn.kind == "tool" and turn.error not in REFUSALS)


def _arguments(written: str) -> dict[str, Any]:
    """Read a call's arguments for comparison; what is not a JSON object is compared as it was written."""
    try:
        read = orjson.loads(written or "{}")
    except orjson.JSONDecodeError:
        read = None
    return read if isinstance(read, dict) else {"": written}


def messages_of(run_input: RunInput, turns: list[Turn]) -> list[Message]:
    """Rebuild the conversation from what a run started with and its journal."""
    journal = sorted(turns, key=lambda turn: turn.seq)
    said = [_model_message(turn.body) if turn.kind == "model" else _tool_message(turn.body) for turn in journal]
    return [Message("system", run_input.system_prompt), Message("user", run_input.prompt), *said]


def _model_message(body: JsonObject) -> Message:
    return Message("assistant", body["text"], tool_calls=calls_of(body), items=items_of(body.get(ITEMS)))


def _tool_message(body: JsonObject) -> Message:
    """What tools return is material; the text of a skill that the agent was given is not, it is to be followed."""
    is_skill = body["name"] == LOAD_SKILL and body["ok"]
    text = body["output"] if is_skill else fence(body["output"])
    return Message("tool", text, tool_call_id=body["call_id"], name=body["name"])


def calls_of(body: JsonObject) -> tuple[ToolCall, ...]:
    """Return the tool calls of a model turn's body."""
    return tuple(ToolCall(call["id"], call["name"], call["arguments"]) for call in body["tool_calls"])


async def _ask_model(run: Run, deps: AgentDeps, journal: Journal) -> Answer | None:
    asked = sum(turn.kind == "model" for turn in run.turns)
    _hold_to_limits(run, asked, deps.tokens_of_failures())
    seq = max((turn.seq for turn in run.turns), default=0) + 1
    is_last_chance = asked + 1 >= run.run_input.limits.max_turns
    context = CallContext(run.workspace_id, run.agent_id, run.execution_id, run.id, seq, deps.request_type, run.epoch,
                          deps.environment)

    async def between_requests() -> None:
        await journal.record([], [])
        if request:
            await request.again()

    messages = messages_of(run.run_input, run.turns)
    tools = deps.toolbox.specs(run.run_input.tools)
    if deps.handed:
        tools = deps.toolbox.specs_with(run.run_input.tools, deps.handed)
    request = BudgetedRequest(
        deps.budget, run.run_input.model, messages, tools, deps.model_timeout_s, deps.is_paused
    ) if deps.budget else None
    model = await request.choice() if request else run.run_input.model
    completion = await deps.client.complete(
        model, messages, tools, context, may_call_tools=not is_last_chance,
        on_delta=lambda text: journal.stream(seq, storable(text)), on_restart=lambda: journal.restart(seq),
        on_reasoning=lambda text: journal.stream(seq, storable(text), is_reasoning=True),
        deadline_s=deps.model_timeout_s, retries=deps.retries_left(), pause_s=deps.pause_s,
        on_failed=lambda failure: journal.failed(seq, failure), before_pause=between_requests,
    )
    turn = _model_turn(run, seq, completion)
    if deps.notes:
        deps.notes.answered(turn)
    event = _model_event(run, turn)
    if not completion.tool_calls:
        return Answer(turn.body["text"], turn, (event,))
    await journal.record([turn], [event])
    run.turns.append(turn)
    return None


def _hold_to_limits(run: Run, asked: int, failed: int) -> None:
    limits = run.run_input.limits
    used = failed + sum(turn.input_tokens + turn.output_tokens for turn in run.turns)
    if _is_idle(run):
        raise NoProgress(
            f"The agent asked {IDLE_TURNS} times in a row for nothing but calls that it had made before.")
    if asked >= limits.max_turns:
        raise RunLimitReached(
            f"The agent took {asked} turns without an answer. Raise the limit of turns (max_iterations), or make "
            "the task smaller."
        )
    if used >= limits.max_tokens:
        raise RunLimitReached(
            f"The agent used {used} tokens of {limits.max_tokens} without an answer. Make its task smaller, or raise "
            "max_total_tokens of the recipe."
        )


def _is_idle(run: Run) -> bool:
    """Say whether the latest turns did nothing but repeat calls that were not made again."""
    outcomes: list[list[str | None]] = []
    for turn in run.turns:
        if turn.kind == "model":
            outcomes.append([])
        elif outcomes:
            outcomes[-1].append(turn.error)
    latest = outcomes[-IDLE_TURNS:]
    return len(latest) == IDLE_TURNS and all(errors and set(errors) == {REPEATED} for errors in latest)


def _model_turn(run: Run, seq: int, completion: Completion) -> Turn:
    calls = [{"id": storable(c.id), "name": storable(c.name), "arguments": storable(c.arguments)}
             for c in completion.tool_calls]
    body: JsonObject = {
        "text": storable(completion.text), "tool_calls": calls, "provider": completion.provider,
        "model": completion.model_id, "finish_reason": completion.finish_reason, "end": completion.end,
        "status": completion.status, "attempt": completion.attempt,
        "reasoning": storable(completion.reasoning[:MAX_REASONING_CHARS]),
        "cache_read_tokens": completion.usage.cache_read_tokens,
        "cache_write_tokens": completion.usage.cache_write_tokens,
        "is_estimated": completion.usage.is_estimated, "left_out": list(completion.left_out),
        "calls_from_text": completion.calls_from_text,
    }
    if completion.items and (items := items_to_json(completion.items)):
        body[ITEMS] = items
    return Turn(run.id, seq, "model", body, completion.usage.input_tokens, completion.usage.output_tokens,
                completion.cost_micro_usd, completion.latency_ms)


def _model_event(run: Run, turn: Turn) -> events.ModelAnswered:
    return events.ModelAnswered(
        order=run.order, turn=turn.seq, provider=turn.body["provider"], model=turn.body["model"],
        text=turn.body["text"], reasoning=turn.body["reasoning"], end=turn.body["end"],
        tool_calls=[events.WantedCall(**call) for call in turn.body["tool_calls"]], input_tokens=turn.input_tokens,
        output_tokens=turn.output_tokens, cache_read_tokens=turn.body["cache_read_tokens"],
        cache_write_tokens=turn.body["cache_write_tokens"], cost_usd=micro_to_text(turn.cost_micro_usd),
        latency_ms=turn.duration_ms, is_estimated=turn.body["is_estimated"], left_out=turn.body["left_out"],
        calls_from_text=turn.body["calls_from_text"],
    )


async def _call_tools(
    run: Run, deps: AgentDeps, journal: Journal, tracker: ToolTracker, last: Turn, missing: Sequence[tuple[int,
                                                                                                           ToolCall]]
) -> None:
    """Run the calls of one turn at once; each result is recorded as it comes, so no finished effect is repeated."""
    turned_down: list[Turn] = []
    runnable: list[tuple[int, ToolCall]] = []
    for place, call in missing:
        if refusal := _refusal(tracker, place, call):
            turned_down.append(_tool_turn(run, last, place, call, refusal, 0))
        else:
            tracker.record(call.name, _arguments(call.arguments))
            runnable.append((place, call))
    if turned_down:
        await _record_results(run, journal, turned_down)
    calls = [asyncio.create_task(_call_tool(run, deps, journal, last, place, call)) for place, call in runnable]
    try:
        await asyncio.gather(*calls)
    finally:
        for task in calls:
            task.cancel()


def _refusal(tracker: ToolTracker, place: int, call: ToolCall) -> ToolResult | None:
    if place >= MAX_CALLS_PER_TURN:
        return TOO_MANY
    reason = tracker.reason_to_skip(call.name, _arguments(call.arguments))
    return ToolResult(ok=False, output=reason, error_code=REPEATED) if reason else None


async def _call_tool(run: Run, deps: AgentDeps, journal: Journal, last: Turn, place: int, call: ToolCall) -> None:
    began = time.monotonic()
    context = ToolContext(
        run.workspace_id, run.agent_id, run.execution_id, run.id, f"{run.id}:{last.seq}:{place}",
        frozenset(run.run_input.tools), deps.tool_timeout_s, deps.home, deps.handed, deps.limits,
    )
    result = await deps.toolbox.call(call.name, call.arguments, context)
    turn = _tool_turn(run, last, place, call, result, _ms_since(began))
    if deps.notes:
        deps.notes.called(turn)
    await _record_results(run, journal, [turn])


def _tool_turn(run: Run, last: Turn, place: int, call: ToolCall, result: ToolResult, duration_ms: int) -> Turn:
    body = {"call_id": call.id, "name": call.name, "arguments": call.arguments, "ok": result.ok,
            "output": storable(result.output)}
    return Turn(run.id, last.seq + 1 + place, "tool", body, duration_ms=duration_ms, error=result.error_code)


async def _record_results(run: Run, journal: Journal, turns: list[Turn]) -> None:
    await journal.record(turns, [
        events.ToolFinished(order=run.order, turn=turn.seq, duration_ms=turn.duration_ms, **turn.body)
        for turn in turns
    ])
    run.turns.extend(turns)


def _ms_since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
