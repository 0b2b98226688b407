"""Graphs that cannot run are refused before they do, each fault with its place."""

import pytest

from automatos.runs.graph import Case, Edge, ForEach, Graph, Node
from automatos.runs.types import RetryPolicy, StepKind, StepPath
from automatos.runs.validation import MAX_NODES, faults_of
from tests.runs.sketch import graph

EACH_IS_ODD = ["b: a for_each, and nothing else, has steps that it repeats"]


def told(planned: Graph) -> list[str]:
    return [f"{fault.where}: {fault.message}" for fault in faults_of(planned)]


@pytest.mark.parametrize("nodes", [
    "a", "a b<a c<a,b", "b<a a", "p:branch(hot:no|cold) x<p=hot,p=cold y<p", "a b<a c:if(a)<b",
    "a r:each2{x:if(item) y:if(x)<x z:if(a)}<a", "p:branch(x:no) q:if(p)<p", "r:each1{s:each1{t:if(item)}}",
    "w:wait a:approval<w n:run<a t:tool<n",
])
def test_a_graph_that_can_run_has_no_faults(nodes: str) -> None:
    assert told(graph(nodes)) == []


@pytest.mark.parametrize(("nodes", "faults"), [
    ("", ["steps: a run has 1 to 1000 planned steps, not 0"]),
    ("a a", ["steps: 'a' is the key of 2 steps; each has its own"]),
    ("a r:each1{a}", ["steps: 'a' is the key of 2 steps; each has its own"]),
    ("a<b", ["a.after: there is no step 'b' beside it; there are: none"]),
    ("a b<x", ["b.after: there is no step 'x' beside it; there are: a"]),
    ("a r:each1{b<a}", ["r.b.after: there is no step 'a' beside it; there are: none"]),
    ("a b<a,a", ["b.after: 'a' is named 2 times"]),
    ("p:branch(x) b<p=x,p=x", ["b.after: 'p=x' is named 2 times"]),
    ("a b<a=hot", ["b.after: 'a' is no branch and has no case 'hot'"]),
    ("p:branch(hot:no|cold) b<p=warm", ["b.after: 'p' has the cases hot, cold, not 'warm'"]),
    ("a<a", ["a.after: goes round in a circle: a -> a"]),
    ("a b<a,d c<b d<c", ["b.after: goes round in a circle: b -> c -> d -> b"]),
    ("r:each1{x<y y<x}", ["r.x.after: goes round in a circle: x -> y -> x"]),
    ("a b:if(a)", ["b.when: reads `steps.a`, which is not over before this step; it can read: none"]),
    ("a b:if(b)<a", ["b.when: reads `steps.b`, which is not over before this step; it can read: a"]),
    ("r:each1{x} b:if(x)<r", ["b.when: reads `steps.x`, which is not over before this step; it can read: r"]),
    ("a r:each1{x:if(a)}", ["r.x.when: reads `steps.a`, which is not over before this step; it can read: none"]),
    ("a:if(item)", ["a.when: reads `item`, which only steps inside a for_each have"]),
    ("p:branch(x:no|x)", ["p.cases: 'x' is the name of 2 cases"]),
    ("r:each0{x}", ["r.concurrency: is 1 to 100"]),
    ("r:each101{x}", ["r.concurrency: is 1 to 100"]),
    ("r:each1{}", ["r: it has no step to do for its items"]),
    ("a:retry0", ["a.retry.max_attempts: is 1 to 20"]),
])
def test_a_graph_that_cannot_run_is_told_where_and_why(nodes: str, faults: list[str]) -> None:
    assert told(graph(nodes)) == faults


@pytest.mark.parametrize(("node", "faults"), [
    (Node("", StepKind.WAIT), [": a key is a letter, then letters, digits, _ or -, 100 at most"]),
    (Node("a.b", StepKind.WAIT), ["a.b: a key is a letter, then letters, digits, _ or -, 100 at most"]),
    (Node("a[0]", StepKind.WAIT), ["a[0]: a key is a letter, then letters, digits, _ or -, 100 at most"]),
    (Node("b", StepKind.FOR_EACH), EACH_IS_ODD),
    (Node("b", StepKind.WAIT, each=ForEach(graph("x"))), EACH_IS_ODD),
    (Node("a", StepKind.BRANCH), ["a: a branch, and nothing else, has cases"]),
    (Node("a", StepKind.WAIT, cases=(Case("x"),)), ["a: a branch, and nothing else, has cases"]),
    (Node("a", StepKind.AGENT), ["a: an agent's step names its agent"]),
    (Node("a", StepKind.WAIT, timeout_s=0), ["a.timeout_s: is 1 or more"]),
    (Node("a", StepKind.WAIT, retry=RetryPolicy(21)), ["a.retry.max_attempts: is 1 to 20"]),
    (Node("a", StepKind.FOR_EACH, each=ForEach(graph("x"), max_failures=-1)), ["a.max_failures: is 0 or more"]),
])
def test_a_step_that_cannot_be_is_told_why(node: Node, faults: list[str]) -> None:
    assert told(Graph((node,))) == faults


def test_a_graph_has_a_size() -> None:
    line = tuple(Node(f"s{number}", StepKind.WAIT, (Edge(f"s{number - 1}"),) if number else ())
                 for number in range(MAX_NODES + 1))
    assert told(Graph(line[:-1])) == []
    assert told(Graph(line)) == ["steps: a run has 1 to 1000 planned steps, not 1001"]


def test_steps_stand_in_each_other_up_to_a_depth() -> None:
    nested = "a:each1{b:each1{c:each1{d:each1{e%s}}}}"
    assert told(graph(nested % "")) == []
    assert told(graph(nested % ":each1{f}")) == ["a.b.c.d.e: steps stand in each other at most 5 deep"]


def test_what_a_planner_adds_is_told_apart_from_what_is_around_it() -> None:
    assert faults_of(graph("x y:if(x)<x"), under=StepPath("plan")) == []
    assert [fault.message for fault in faults_of(graph("x:if(a)"), under=StepPath("plan"))] == [
        "reads `steps.a`, which is not over before this step; it can read: none"]
    assert faults_of(graph("x"), under=StepPath("rows[3].a.b.c")) == []
    assert [fault.message for fault in faults_of(graph("x"), under=StepPath("rows[3].a.b.c.d"))] == [
        "steps stand in each other at most 5 deep"]


def test_no_more_than_a_hundred_faults_are_told() -> None:
    assert len(faults_of(Graph(tuple(Node(f"s{number}", StepKind.AGENT) for number in range(300))))) == 100
