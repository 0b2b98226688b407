"""Graphs, states and answers as one line of text each, so that a table of cases can be read.

A graph: `a b<a c:skip<a,b` is a, then b after a, then c after both, whose failure is passed over. Between key and `<`
stand `:skip`, `:retry3`, `:yes`, `:no` and `:broken` (what its condition says), `:if(a)` (the output of a is "go"),
`:if(item)` (the item is "go"), `:approval`, `:wait`, `:run`, `:branch(hot:no|cold)`, `:each2{check fix<check}` (two
items at once) and `:tolerates1`. `x<pick=hot` is after one case of a branch.

A state: `a=completed b=failed!` is a, over, and b, failed in a way that may be tried again; `b=failed!2` in its second
try. `rows=expanded:go,no` has two items, `plan=expanded{x y<x}` has added two steps, `pick=completed(hot)` has taken a
case, `a=completed/go` has the output "go", `rows=completed+` has passed over failures. `rows=expanded:p,q,s^2(1)f1+`:
two items have begun, of which that with index 1 is at work, one failed, and something was passed over.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from automatos.runs.conditions import compile_condition
from automatos.runs.graph import (
    NO_PROGRESS,
    Advance,
    Case,
    Edge,
    ForEach,
    Graph,
    Node,
    Progress,
    StepEnd,
    StepRecord,
    StepStart,
)
from automatos.runs.types import OnError, Performer, RetryPolicy, StepKind, StepPath, StepStatus

INPUTS = {"yes": True, "no": False}
CONDITIONS = {"yes": "input.yes", "no": "input.no", "broken": "input.unknown"}
KINDS = {kind.value: kind for kind in (StepKind.APPROVAL, StepKind.WAIT, StepKind.RUN, StepKind.TOOL)}
STEP = re.compile(r"(?P<key>\w+)(?P<marks>(?::\w+(?:\([^)]*\))?)*)(?P<body>\{.*\})?(?:<(?P<after>[\w,=]+))?")
MARK = re.compile(r":(?P<name>[a-z_]+)(?P<number>\d*)(?:\((?P<inside>[^)]*)\))?")
RECORD = re.compile(r"(?P<path>[\w.\[\]]+)=(?P<status>[a-z]+)(?P<retry>!?)(?P<attempt>\d*)(?P<skips>\+?)"
                    r"(?:\((?P<choice>\w+)\))?(?:/(?P<output>\w+))?(?::(?P<items>[\w,]*))?"
                    r"(?:\^(?P<next>\d+)\((?P<open>[\d,]*)\)f(?P<failed>\d)(?P<passed>\+?))?(?P<adds>\{.*\})?")


def graph(text: str) -> Graph:
    return Graph(tuple(_node(word) for word in _words(text)))


def state(text: str) -> dict[StepPath, StepRecord]:
    return dict(_record(word) for word in _words(text))


def told(answer: Advance) -> str:
    """Say an answer in words: `start a b; skip c; interrupt d; run failed by d`."""
    parts = [" ".join(["start", *(_started(start) for start in answer.ready)]) if answer.ready else ""]
    for verb, status in (("skip", StepStatus.SKIPPED), ("complete", StepStatus.COMPLETED),
                         ("fail", StepStatus.FAILED), ("cancel", StepStatus.CANCELLED)):
        ended = [_ended(end) for end in answer.ended if end.status is status]
        parts.append(" ".join([verb, *ended]) if ended else "")
    parts.append(" ".join(["interrupt", *answer.interrupted]) if answer.interrupted else "")
    if finish := answer.finished:
        parts.append(f"run {finish.status}" + (f" by {finish.failed}" if finish.failed else ""))
    return "; ".join(filter(None, parts))


def progress_told(answer: Advance) -> str:
    """Say how far items are: `r^2(1)f1+` as in a state."""
    return " ".join(f"{path}^{each.next}({','.join(map(str, each.open))})f{each.failed}{'+' * each.has_skips}"
                    for path, each in answer.progress.items())


def _words(text: str) -> Iterator[str]:
    """Yield what spaces outside braces divide."""
    depth, word = 0, ""
    for letter in f"{text} ":
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == " " and not depth:
            if word:
                yield word
            word = ""
        else:
            word += letter


def _node(word: str) -> Node:
    found = STEP.fullmatch(word)
    assert found, word
    marks = {mark["name"]: mark for mark in MARK.finditer(found["marks"])}
    kind = next((KINDS[name] for name in marks if name in KINDS), StepKind.AGENT)
    parts: dict[str, Any] = {}
    if branch := marks.get("branch"):
        kind, parts["cases"] = StepKind.BRANCH, tuple(_case(each) for each in branch["inside"].split("|"))
    if each := marks.get("each"):
        tolerates = int(marks["tolerates"]["number"]) if "tolerates" in marks else 0
        kind, parts["each"] = StepKind.FOR_EACH, ForEach(graph(found["body"][1:-1]), int(each["number"]), tolerates)
    if "skip" in marks:
        parts["on_error"] = OnError.SKIP
    if "retry" in marks:
        parts["retry"] = RetryPolicy(int(marks["retry"]["number"]))
    conditions = [_condition(name, mark["inside"]) for name, mark in marks.items() if name in {*CONDITIONS, "if"}]
    after = tuple(Edge(key, case or None) for key, _, case in
                  (edge.partition("=") for edge in (found["after"] or "").split(",") if edge))
    performer = Performer("agent:1") if kind is StepKind.AGENT else None
    return Node(found["key"], kind, after, conditions[0] if conditions else None, performer, **parts)


def _case(text: str) -> Case:
    name, _, condition = text.partition(":")
    return Case(name, _condition(condition) if condition else None)


def _condition(name: str, inside: str | None = None) -> Any:
    asked = "item" if inside == "item" else f"steps.{inside}.output"
    return compile_condition(CONDITIONS.get(name) or f'{asked} == "go"')


def _record(word: str) -> tuple[StepPath, StepRecord]:
    found = RECORD.fullmatch(word)
    assert found, word
    return StepPath(found["path"]), StepRecord(
        StepStatus(found["status"]), attempt=int(found["attempt"] or 1), is_retryable=bool(found["retry"]),
        choice=found["choice"], output=found["output"], items=tuple(filter(None, (found["items"] or "").split(","))),
        adds=graph(found["adds"][1:-1]) if found["adds"] else None, has_skips=bool(found["skips"]),
        progress=_progress(found) if found["next"] else NO_PROGRESS,
    )


def _progress(found: re.Match[str]) -> Progress:
    open_items = tuple(int(index) for index in found["open"].split(",") if index)
    failed = int(found["failed"])
    return Progress(int(found["next"]), open_items, failed, StepPath(f"{found['path']}[0].x") if failed else None,
                    bool(found["passed"]))


def _started(start: StepStart) -> str:
    return f"{start.path}({start.attempt} in {start.delay.total_seconds():g}s)" if start.attempt > 1 else start.path


def _ended(end: StepEnd) -> str:
    return end.path + (f"({end.choice})" if end.choice else "") + ("+" if end.has_skips else "")


def record_of(end: StepEnd, before: Mapping[StepPath, StepRecord]) -> StepRecord:
    """What is recorded of a step that ended without work."""
    attempt = before[end.path].attempt if end.path in before else 1
    return StepRecord(end.status, attempt, choice=end.choice, has_skips=end.has_skips)
