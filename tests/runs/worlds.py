"""Random graphs, what their steps would do, and how a run of them must end: told without the engine's help.

A plan is written as plain data. What a step does when it is begun depends on a seed and its path only, never on when.
`judge` asks each step what it comes after and so on back to the beginning; it knows no states and no order.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from hypothesis import strategies as st

Kind = Literal["work", "wait", "branch", "each", "plan", "run"]
ANSWERING = {"work", "each", "run"}


@dataclass
class Planned:
    """One step: `after` holds (key, case or None), `asks` a word of `yes`, `no`, `broken` or the key of a step."""

    key: str
    kind: Kind = "work"
    after: list[tuple[str, str | None]] = field(default_factory=list)
    asks: str | None = None
    is_passed_over: bool = False
    attempts: int = 1
    cases: list[tuple[str, str | None]] = field(default_factory=list)
    inner: list["Planned"] = field(default_factory=list)
    concurrency: int = 1
    max_failures: int = 0


@st.composite
def plans(draw: st.DrawFn, prefix: str = "s", depth: int = 2, visible: tuple[str, ...] = ()) -> list[Planned]:
    """Draw up to five steps, each after some of the earlier ones, written down in any order."""
    steps: list[Planned] = []
    before: dict[str, set[str]] = {}
    for number in range(draw(st.integers(1, 5 if depth == 2 else 3))):
        step = Planned(f"{prefix}{number}")
        step.kind = draw(st.sampled_from(["work", "work", "work", "wait", "branch", *(["each", "plan"] * (depth > 0))]))
        for earlier in draw(st.lists(st.sampled_from(steps), max_size=3, unique_by=id)) if steps else []:
            cases = [None, *(name for name, _ in earlier.cases)]
            step.after.append((earlier.key, draw(st.sampled_from(cases))))
        before[step.key] = {key for key, _ in step.after}.union(*(before[key] for key, _ in step.after))
        readable = [*visible, *sorted(before[step.key])]
        asked = st.sampled_from([None, None, "yes", "no", "broken", *readable])
        step.asks = draw(asked)
        step.is_passed_over = draw(st.booleans())
        step.attempts = draw(st.integers(1, 3))
        if step.kind == "branch":
            step.cases = [(name, draw(asked)) for name in ("hot", "cold")]
        if step.kind == "each":
            step.inner = draw(plans(prefix=f"{step.key}i", depth=depth - 1, visible=tuple(readable)))
            step.concurrency, step.max_failures = draw(st.integers(1, 3)), draw(st.integers(0, 2))
        if step.kind == "plan":  # what is added while a run goes on reads nothing around it
            step.inner = draw(plans(prefix=f"{step.key}p", depth=depth - 1))
        steps.append(step)
    return draw(st.permutations(steps))


@dataclass(frozen=True)
class World:
    """What happens to steps that are begun."""

    seed: int

    def result(self, path: str, attempt: int) -> Literal["good", "bad", "again"]:
        """Whether a try succeeds, fails for good, or fails and could succeed later."""
        chance = Random(f"{self.seed} {path} {attempt}").random()
        return "good" if chance < 0.7 else "again" if chance < 0.9 else "bad"

    def output(self, path: str) -> str:
        return Random(f"{self.seed} {path} output").choice(["go", "stay"])

    def items(self, path: str) -> list[str]:
        return ["item"] * Random(f"{self.seed} {path} items").randint(0, 4)

    def ends_well(self, path: str, attempts: int) -> bool:
        for attempt in range(1, attempts + 1):
            if (result := self.result(path, attempt)) != "again":
                return result == "good"
        return False


@dataclass
class Verdict:
    """How steps that stand together end; `known` holds those whose end no order of events can change.

    `output` is what the last of them that was done has given.
    """

    is_failed: bool = False
    has_skips: bool = False
    output: str = ""
    known: dict[str, str] = field(default_factory=dict)


@dataclass
class _Told:
    status: Literal["completed", "failed", "skipped", "never"]
    case: str | None = None
    output: str | None = None
    has_skips: bool = False


def judge(plan: list[Planned], world: World, prefix: str = "", around: dict[str, _Told] | None = None) -> Verdict:
    """Tell how steps end, from what they come after back to the beginning."""
    judge_of = _Judge(plan, world, prefix, around or {})
    told = {step.key: judge_of.told(step.key) for step in plan}
    verdict = Verdict()
    verdict.is_failed = any(told[step.key].status == "failed" and not step.is_passed_over for step in plan)
    if verdict.is_failed:
        return verdict  # which of the others had begun by then is a matter of time
    verdict.has_skips = any(each.status == "failed" or each.has_skips for each in told.values())
    done = [step.key for step in plan if step.kind in ANSWERING and told[step.key].status == "completed"]
    verdict.output = (told[done[-1]].output or "") if done else ""
    verdict.known = {prefix + key: each.status for key, each in told.items()} | judge_of.known
    return verdict


class _Judge:
    def __init__(self, plan: list[Planned], world: World, prefix: str, around: dict[str, _Told]) -> None:
        self.steps = {step.key: step for step in plan}
        self.world, self.prefix = world, prefix
        self.around = dict(around)
        self.known: dict[str, str] = {}
        self._told: dict[str, _Told] = {}

    def told(self, key: str) -> _Told:
        if key not in self._told:
            self._told[key] = self._tell(self.steps[key])
        return self._told[key]

    def _tell(self, step: Planned) -> _Told:
        before = [(self.told(key), case, self.steps[key]) for key, case in step.after]
        if any(each.status == "never" or (each.status == "failed" and not its.is_passed_over)
               for each, _, its in before):
            return _Told("never")
        if before and not any(each.status != "skipped" and case in {None, each.case} for each, case, _ in before):
            return _Told("skipped")
        answer = self._answer(step.asks)
        if answer is None:
            return _Told("failed")
        return self._work(step) if answer else _Told("skipped")

    def _answer(self, asked: str | None) -> bool | None:
        """None when a condition has no answer."""
        if asked in {None, "yes", "no", "broken"}:
            return {"no": False, "broken": None}.get(asked or "", True)
        found = self.told(asked) if asked in self.steps else self.around[asked or ""]
        return found.output == "go"

    def _work(self, step: Planned) -> _Told:
        path = self.prefix + step.key
        if step.kind == "branch":
            for name, asked in step.cases:
                answer = self._answer(asked)
                if answer is None:
                    return _Told("failed")
                if answer:
                    return _Told("completed", case=name, output=name)
            return _Told("completed")
        if not self.world.ends_well(path, step.attempts):
            return _Told("failed")
        if step.kind == "run":
            return self._child(step, path)
        if step.kind in {"each", "plan"}:
            return self._gather(step, path)
        return _Told("completed", output=self.world.output(path))

    def _child(self, step: Planned, path: str) -> _Told:
        """A run of its own: its steps read nothing around it."""
        verdict = judge(step.inner, self.world, f"{path}>")
        if verdict.is_failed:
            return _Told("failed")
        self.known |= verdict.known
        return _Told("completed", output=verdict.output, has_skips=verdict.has_skips)

    def _gather(self, step: Planned, path: str) -> _Told:
        prefixes = [f"{path}."] if step.kind == "plan" else [
            f"{path}[{number}]." for number in range(len(self.world.items(path)))]
        around = {} if step.kind == "plan" else self.around | {key: self.told(key) for key in self._all_before(step)}
        verdicts = [judge(step.inner, self.world, prefix, around) for prefix in prefixes]
        if sum(each.is_failed for each in verdicts) > step.max_failures:
            return _Told("failed")
        for each in verdicts:
            self.known |= each.known
        has_skips = any(each.is_failed or each.has_skips for each in verdicts)
        return _Told("completed", output=self.world.output(path), has_skips=has_skips)

    def _all_before(self, step: Planned) -> set[str]:
        keys = {key for key, _ in step.after}
        return keys.union(*(self._all_before(self.steps[key]) for key in keys))


def describe(plan: list[Planned]) -> list[dict[str, Any]]:
    """A plan as short as can be, for the message of a test that fails."""
    return [{name: describe(value) if name == "inner" else value for name, value in vars(step).items() if value}
            for step in plan]
