"""What follows from where the steps of a run are: each case is a graph, a state, and the answer."""

import pytest

from automatos.runs.advance import advance
from automatos.runs.types import RunStatus
from tests.runs.sketch import INPUTS, graph, progress_told, state, told

CASES = {
    # line
    "a run begins with what comes after nothing": ("a b<a", "", "start a"),
    "a step waits for the one before it": ("a b<a", "a=running", ""),
    "a step that has its job is not begun again": ("a b<a", "a=ready", ""),
    "a step begins when the one before it is over": ("a b<a", "a=completed", "start b"),
    "a run ends with its last step": ("a b<a", "a=completed b=completed", "run completed"),
    "a run of nothing is over": ("", "", "run completed"),
    # fan-out and join
    "steps that wait for the same one begin together": ("a b<a c<a", "a=completed", "start b c"),
    "a join waits for all": ("a b c<a,b", "a=completed b=running", ""),
    "a join begins when all are over": ("a b c<a,b", "a=completed b=completed", "start c"),
    "order of writing is no order of steps": ("c<b b<a a", "a=completed", "start b"),
    # skip
    "a step whose condition says no is skipped": ("a:no", "", "skip a; run completed"),
    "a step whose condition says yes begins": ("a:yes", "", "start a"),
    "a condition is asked when its turn has come": ("a b:no<a", "a=running", ""),
    "a condition reads an earlier output": ("a b:if(a)<a c:if(a)<b", "a=completed/go b=completed", "start c"),
    "a condition of an earlier output may say no": ("a b:if(a)<a", "a=completed/stay", "skip b; run completed"),
    "what only follows a skipped step is skipped": ("a:no b<a c<b", "", "skip a b c; run completed"),
    "a join begins when one of its steps was not skipped": ("a:no b c<a,b", "b=completed", "start c; skip a"),
    "a join of skipped steps is skipped": ("a:no b:no c<a,b", "", "skip a b c; run completed"),
    "a skipped step is not decided before all is over": ("a:no b c<a,b", "b=running", "skip a"),
    # branch
    "a branch takes the first case that holds": (
        "p:branch(hot:no|cold:yes|rest) x<p=hot y<p=cold z<p=rest", "", "start y; skip x z; complete p(cold)"),
    "a case without a condition is the rest": ("p:branch(hot:no|rest) x<p=rest", "", "start x; complete p(rest)"),
    "a branch may take no case": (
        "p:branch(hot:no) x<p=hot y<p", "", "start y; skip x; complete p"),
    "a join behind a branch begins": (
        "p:branch(hot:no|cold) x<p=hot y<p=cold j<x,y", "p=completed(cold) x=skipped y=completed", "start j"),
    "a step may follow two cases": ("p:branch(a:no|b|c) x<p=a,p=b", "p=completed(b)", "start x"),
    "a branch waits for its turn": ("a p:branch(hot)<a", "a=running", ""),
    "a condition reads the case that was taken": (
        "p:branch(go) x:if(p)<p", "p=completed(go)", "start x"),
    # failure
    "a failure ends the run": ("a b<a", "a=failed", "run failed by a"),
    "a failure that is passed over counts at the end": ("a:skip", "a=failed", "run completed_with_skips"),
    "what follows a failure that is passed over begins": ("a:skip b<a", "a=failed", "start b"),
    "a step of a stopped agent counts as failed": ("a b<a", "a=cancelled", "run failed by a"),
    "nothing begins beside a failure": ("a b c<b", "a=failed b=completed", "run failed by a"),
    "what runs beside a failure is interrupted": ("a b", "a=failed b=running", "interrupt b"),
    "a run has failed when the interrupted is over": ("a b", "a=failed b=completed", "run failed by a"),
    "what waits beside a failure is cancelled": (
        "a b:approval c:wait d:run e", "a=failed b=suspended c=suspended d=suspended e=ready",
        "cancel b c d e; run failed by a"),
    "a condition without an answer fails its step": ("a:broken b<a", "", "fail a"),
    "nothing begins beside a condition without an answer": ("z a:broken b", "", "fail a"),
    "a condition without an answer may be passed over": ("a:broken:skip b<a", "", "start b; fail a"),
    "a branch without an answer may be passed over": (
        "p:branch(hot:broken):skip x<p=hot y<p", "", "start y; skip x; fail p"),
    # retry
    "a failed step is tried again after a pause": ("a:retry3 b<a", "a=failed!", "start a(2 in 1s)"),
    "a longer pause before the third try": ("a:retry3 b<a", "a=failed!2", "start a(3 in 2s)"),
    "the last try is the last": ("a:retry3 b<a", "a=failed!3", "run failed by a"),
    "what cannot succeed is not tried again": ("a:retry3 b<a", "a=failed", "run failed by a"),
    "a step that waits for its next try holds the run": ("a:retry3 b", "a=ready2 b=completed", ""),
    "what follows waits for the next try": ("a:retry2:skip b<a", "a=failed!", "start a(2 in 1s)"),
    "nothing is tried again beside a failure": ("a:retry3 b", "a=failed! b=failed", "run failed by b"),
    # suspended
    "a step that waits holds what follows": ("a:approval b<a", "a=suspended", ""),
    "a step that waits does not hold what is beside it": ("a:approval b c<b", "a=suspended b=completed", "start c"),
    "an approval lets the run go on": ("a:approval b<a", "a=completed", "start b"),
    "a refusal ends the run": ("a:approval b<a", "a=failed", "run failed by a"),
    # for-each
    "a for-each begins as one step": ("a r:each2{x}<a", "a=completed", "start r"),
    "as many items begin as may": ("r:each2{x}", "r=expanded:p,q,s", "start r[0].x r[1].x"),
    "the next item begins when one is over": (
        "r:each2{x}", "r=expanded:p,q,s r[0].x=completed r[1].x=running", "start r[2].x"),
    "an item is over with its last step": (
        "r:each1{x y<x}", "r=expanded:p,q r[0].x=completed", "start r[0].y"),
    "a for-each ends with its last item": (
        "r:each2{x} b<r", "r=expanded:p,q r[0].x=completed r[1].x=completed", "complete r"),
    "what follows a for-each waits for its record": ("r:each2{x} b<r", "r=completed", "start b"),
    "a for-each of nothing is over": ("r:each2{x} b<r", "r=expanded:", "complete r"),
    "a condition reads its item": ("r:each9{x:if(item)}", "r=expanded:go,no", "start r[0].x; skip r[1].x"),
    "items that are skipped take no place": (
        "r:each1{x:if(item)}", "r=expanded:no,no,go,go", "start r[2].x; skip r[0].x r[1].x"),
    "items that are all skipped end the for-each": (
        "r:each1{x:no}", "r=expanded:p,q", "skip r[0].x r[1].x; complete r"),
    "a condition inside reads a step outside": (
        "a r:each1{x:if(a)}<a", "a=completed/go r=expanded:p", "start r[0].x"),
    "a failed item stops the for-each": (
        "r:each2{x}", "r=expanded:p,q,s r[0].x=failed r[1].x=running", "interrupt r[1].x"),
    "a for-each has failed when what ran is over": (
        "r:each2{x}", "r=expanded:p,q,s r[0].x=failed r[1].x=completed", "fail r"),
    "a failed for-each ends the run": ("r:each2{x}", "r=failed r[0].x=failed", "run failed by r"),
    "a failed for-each may be passed over": ("r:each2:skip{x} b<r", "r=failed", "start b"),
    "so many items may fail": (
        "r:each2:tolerates1{x}", "r=expanded:p,q,s r[0].x=failed r[1].x=running", "start r[2].x"),
    "and are counted at the end": (
        "r:each2:tolerates1{x}", "r=expanded:p,q r[0].x=failed r[1].x=completed", "complete r+"),
    "a for-each that passed failures over counts at the end": (
        "r:each2{x}", "r=completed+", "run completed_with_skips"),
    "one more is too many": (
        "r:each2:tolerates1{x}", "r=expanded:p,q,s r[0].x=failed r[1].x=failed", "fail r"),
    "steps beside a failed one of the same item are stopped": (
        "r:each2:tolerates1{x y}", "r=expanded:p,q r[0].x=failed r[0].y=running r[1].x=running r[1].y=ready",
        "interrupt r[0].y"),
    "a failure inside an item may be passed over": (
        "r:each2{x:skip y<x}", "r=expanded:p r[0].x=failed", "start r[0].y"),
    "and is counted": ("r:each2{x:skip}", "r=expanded:p r[0].x=failed", "complete r+"),
    "a step of an item is tried again": ("r:each2{x:retry2}", "r=expanded:p r[0].x=failed!", "start r[0].x(2 in 1s)"),
    "a for-each in a for-each": (
        "r:each1{s:each2{x}}", "r=expanded:p,q r[0].s=expanded:u,v", "start r[0].s[0].x r[0].s[1].x"),
    # planners
    "what a planner adds begins under it": ("p b<p", "p=expanded{x y<x}", "start p.x"),
    "a planner is over with what it added": ("p b<p", "p=expanded{x} p.x=completed", "complete p"),
    "what follows a planner waits for its record": ("p b<p", "p=completed p.x=completed", "start b"),
    "a planner may add a planner": ("p", "p=expanded{x} p.x=expanded{y}", "start p.x.y"),
    "a planner that adds nothing is over": ("p b<p", "p=expanded b=completed", "complete p"),
    "what a planner added may fail": ("p b<p", "p=expanded{x y} p.x=failed p.y=suspended", "fail p; cancel p.y"),
    "a planner's failure may be passed over": ("p:skip b<p", "p=failed", "start b"),
}
STOPPED = {
    "a run that has not begun is cancelled at once": ("a b<a", "", "run cancelled"),
    "what has its job or waits is cancelled": (
        "a b:approval c<a", "a=ready b=suspended", "cancel a b; run cancelled"),
    "what runs is interrupted": ("a b<a", "a=running", "interrupt a"),
    "a cancelled run ends when what ran is over": ("a b<a", "a=cancelled", "run cancelled"),
    "nothing is tried again": ("a:retry3", "a=failed!", "run cancelled"),
    "nothing follows": ("a b<a", "a=completed", "run cancelled"),
    "what is under a step is cancelled with it": (
        "r:each2{x y}", "r=expanded:p,q r[0].x=ready r[0].y=completed r[1].x=suspended",
        "cancel r[0].x r[1].x r; run cancelled"),
    "what runs under a step is interrupted": (
        "r:each2{x}", "r=expanded:p,q r[0].x=ready r[1].x=running", "cancel r[0].x; interrupt r[1].x"),
    "what a planner added is cancelled with it": (
        "p", "p=expanded{x y} p.x=suspended", "cancel p.x p; run cancelled"),
}


MANY = ",".join("p" * 60)
PROGRESS = {
    "items that begin are at work": ("r:each2{x}", "r=expanded:p,q,s", "start r[0].x r[1].x", "r^2(0,1)f0"),
    "one that is over makes place for the next, and is not looked at again": (
        "r:each2{x}", "r=expanded:p,q,s^2(0,1)f0 r[0].x=completed r[1].x=running", "start r[2].x", "r^3(1,2)f0"),
    "those before the window need not be known": (
        "r:each2{x}", "r=expanded:p,q,s,t^3(1,2)f0 r[1].x=running r[2].x=completed", "start r[3].x", "r^4(1,3)f0"),
    "nothing new is nothing to record": (
        "r:each2{x}", "r=expanded:p,q,s,t^3(1,2)f0 r[1].x=running r[2].x=running", "", ""),
    "an item that has begun and whose steps are not there begins again": (
        "r:each2{x}", "r=expanded:p,q^2(0,1)f0 r[1].x=running", "start r[0].x", ""),
    "a failed one is counted": (
        "r:each2:tolerates1{x}", "r=expanded:p,q,s^2(0,1)f0 r[0].x=failed r[1].x=running", "start r[2].x",
        "r^3(1,2)f1+"),
    "those counted stop the others": (
        "r:each2:tolerates1{x}", "r=expanded:p,q,s^2(1)f1+ r[1].x=failed", "fail r", ""),
    "those that have failed and are not over count too": (
        "r:each2:tolerates1{x y}", "r=expanded:p,q,s^2(1)f1+ r[1].x=failed r[1].y=running", "interrupt r[1].y", ""),
    "the last one ends it, with what was passed over before": (
        "r:each2{x:skip}", "r=expanded:p,q^2(1)f0+ r[1].x=completed", "complete r+", ""),
    "what a worker of the version before has begun is at work": (
        "r:each3{x}", "r=expanded:p,q,s,t^1(0)f0 r[0].x=running r[1].x=running r[2].x=completed", "start r[3].x",
        "r^4(0,1,3)f0"),
    "many that are skipped are passed in several answers": (
        "r:each1{x:no}", f"r=expanded:{MANY}", "skip " + " ".join(f"r[{number}].x" for number in range(20)),
        "r^20()f0"),
    "the last of them end it": (
        "r:each1{x:no}", f"r=expanded:{MANY}^58()f0", "skip r[58].x r[59].x; complete r", ""),
}


@pytest.mark.parametrize("case", PROGRESS)
def test_how_far_the_items_are(case: str) -> None:
    nodes, steps, expected, progress = PROGRESS[case]
    answer = advance(graph(nodes), state(steps), inputs=INPUTS)
    assert (told(answer), progress_told(answer)) == (expected, progress)


def test_a_run_that_is_stopped_looks_at_the_items_at_work_only() -> None:
    answer = advance(graph("r:each2{x}"), state("r=expanded:p,q,s^2(1)f0 r[1].x=suspended"), stop=RunStatus.CANCELLED)
    assert told(answer) == "cancel r[1].x r; run cancelled"


@pytest.mark.parametrize("case", CASES)
def test_advance(case: str) -> None:
    nodes, steps, expected = CASES[case]
    assert told(advance(graph(nodes), state(steps), inputs=INPUTS)) == expected


@pytest.mark.parametrize("case", STOPPED)
def test_advance_of_a_run_that_is_stopped(case: str) -> None:
    nodes, steps, expected = STOPPED[case]
    assert told(advance(graph(nodes), state(steps), inputs=INPUTS, stop=RunStatus.CANCELLED)) == expected


def test_a_run_past_its_deadline_has_failed() -> None:
    answer = advance(graph("a b<a"), state("a=suspended"), stop=RunStatus.FAILED)
    assert told(answer) == "cancel a; run failed"


def test_an_end_says_why() -> None:
    def why(nodes: str, steps: str = "") -> str | None:
        return advance(graph(nodes), state(steps), inputs=INPUTS).ended[-1].why

    assert "`input.unknown` has no answer: there is no 'unknown'" in (why("a:broken") or "")
    assert why("r:each9{x}", "r=expanded:p r[0].x=failed") == "`r[0].x` failed"
    failed = "r=expanded:p,q,s r[0].x=failed r[1].x=failed r[2].x=failed"
    assert why("r:each9:tolerates1{x}", failed) == "`r[0].x` and 2 more failed; at most 1 may"
    assert why("p", "p=expanded{x} p.x=failed") == "`p.x` failed"
