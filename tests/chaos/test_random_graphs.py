"""Random runs, with runs under them, while workers are killed and people pause, cancel and fork: they end as foreseen.

`CHAOS_GRAPHS` says how many runs there are at once, `CHAOS_SEED` which.
"""

import asyncio
import os
import re
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from tests.chaos.client import Follower, Refused
from tests.chaos.test_graphs import Running, recipe_file, table
from tests.chaos.test_kill_worker import until
from tests.runs.worlds import Planned, Verdict, World, describe, judge

__all__ = ["table"]
pytestmark = pytest.mark.chaos
RANDOM_RUNS = int(os.environ.get("CHAOS_GRAPHS", "12"))
SEED = int(os.environ.get("CHAOS_SEED", "20261130"))
KILLS = 6
KILLS_OF_FORKS = 2
DEPTH = 3
"""So many runs stand in each other at most."""
CONDITIONS = {"yes": "input.yes", "no": "input.no", "broken": "input.unknown == 1"}
INPUTS: dict[str, Any] = {
    "at": {"type": "string", "default": ""}, "yes": {"type": "boolean"}, "no": {"type": "boolean"}}
GIVEN = {"yes": True, "no": False}
EACH_OR_RUN = r"(?:.*[>.])?(?:e\d+|(?:e\d+i)?r\d+)"


class Scripted(World):
    """A world in which only agents fail or give a word: not a for-each, nor a step that runs a recipe."""

    def ends_well(self, path: str, attempts: int) -> bool:
        return bool(re.fullmatch(EACH_OR_RUN, path)) or super().ends_well(path, attempts)

    def output(self, path: str) -> str:
        return "list" if re.fullmatch(EACH_OR_RUN, path) else super().output(path)

    def items(self, path: str) -> list[str]:
        return super().items(path.rpartition(">")[2])  # a recipe gives each run that it starts the same


@dataclass
class Begun:
    """A run of a random plan; `is_disturbed` once something was asked that the reference knows nothing of."""

    tag: str
    plan: list[Planned]
    world: Scripted
    follower: Follower
    is_disturbed: bool = False

    @property
    def run_id(self) -> str:
        return self.follower.url.split("/")[-2]

    @property
    def verdict(self) -> Verdict:
        return judge(self.plan, self.world)

    def __str__(self) -> str:
        return f"{self.tag} of seed {SEED}: {describe(self.plan)}"


def random_plan(chance: Random, depth: int = DEPTH) -> list[Planned]:
    """Return up to seven steps, each after some of the earlier ones, some of them for items, some of them runs."""
    plan: list[Planned] = []
    before: dict[str, set[str]] = {}
    for number in range(chance.randint(2, 7) if depth == DEPTH else chance.randint(1, 3)):
        kind = chance.choices(["each", "run", "work"], [25, 25 if depth > 1 else 0, 50])[0]
        key = f"{kind[0] if kind != 'work' else 's'}{number}"
        after = chance.sample(plan, min(len(plan), chance.randint(0, 2)))
        before[key] = {one.key for one in after}.union(*(before[one.key] for one in after))
        asks = chance.choice([None, None, None, "yes", "no", "broken", *sorted(before[key])])
        step = Planned(key, kind, [(one.key, None) for one in after], asks, is_passed_over=chance.random() < 0.7)
        if kind == "run":
            step.inner = random_plan(chance, depth - 1)
        if kind == "each":
            step.inner = _inside(chance, key, depth)
            step.concurrency, step.max_failures = chance.randint(1, 3), chance.randint(0, 3)
        plan.append(step)
    return plan


def _inside(chance: Random, key: str, depth: int) -> list[Planned]:
    first = Planned(f"{key}i0", is_passed_over=chance.random() < 0.3)
    second = Planned(f"{key}i1", after=[(first.key, None)])
    if depth > 1 and chance.random() < 0.4:
        second = Planned(f"{key}ir1", "run", [(first.key, None)], inner=random_plan(chance, depth - 1))
    return [first, second]


def written(tag: str, plan: list[Planned], world: Scripted, inside: str | None = None) -> list[dict[str, Any]]:
    """Return a plan as the steps of a recipe file."""
    steps: list[dict[str, Any]] = []
    for each in plan:
        entry: dict[str, Any] = {"step_id": each.key, "needs": [key for key, _ in each.after]}
        where = f"{{input.at}}{inside}[{{index}}].{each.key}" if inside else f"{{input.at}}{each.key}"
        if each.asks:
            entry["when"] = CONDITIONS.get(each.asks) or f'steps.{each.asks}.output == "go"'
        if each.is_passed_over:
            entry["error_handling"] = "skip"
        if inside:
            entry["inside"] = inside
        if each.kind == "each":
            entry["for_each"] = {"items": f"input.{each.key}", "concurrency": each.concurrency,
                                 "max_failures": each.max_failures}
            steps += [entry, *written(tag, each.inner, world, each.key)]
            continue
        if each.kind == "run":
            given = {"tag": "{input.tag}", "at": f"{where}>"} | inputs_of(each.inner, world)
            entry["run"] = {"recipe": f"{tag}-{each.key}", "inputs": given}
        else:
            entry |= {"agent": "Worker", "prompt_template": f"[{{input.tag}} {where}]"}
        steps.append(entry)
    return steps


def inputs_of(plan: list[Planned], world: Scripted) -> dict[str, Any]:
    return GIVEN | {each.key: world.items(each.key) for each in plan if each.kind == "each"}


async def apply(table: Running, tag: str, plan: list[Planned], world: Scripted) -> None:
    """Make the recipe of a plan, those that it runs first."""
    for each in [inner for one in plan for inner in (one, *(one.inner if one.kind == "each" else []))]:
        if each.kind == "run":
            await apply(table, f"{tag}-{each.key}", each.inner, world)
    inputs = INPUTS | {each.key: {"type": "array"} for each in plan if each.kind == "each"}
    await table.client.apply(recipe_file(tag, written(tag, plan, world), **inputs))


def calls_of(plan: list[Planned], world: Scripted, prefix: str = "") -> list[str]:
    """Return where agents may be asked, in a run and those under it."""
    found: list[str] = []
    for each in plan:
        if each.kind == "work":
            found.append(prefix + each.key)
        elif each.kind == "run":
            found += calls_of(each.inner, world, f"{prefix}{each.key}>")
        else:
            for index in range(len(world.items(each.key))):
                found += calls_of(each.inner, world, f"{prefix}{each.key}[{index}].")
    return found


async def begin(table: Running, tag: str, plan: list[Planned], world: Scripted) -> Begun:
    for path in calls_of(plan, world):
        reply = {"text": world.output(path), "delay_s": 0.05} if world.ends_well(path, 1) else {"status": 400}
        await table.model.script(reply, match=f"[{tag} {path}]", repeat=True)
    await apply(table, tag, plan, world)
    run_id = await table.client.execute(tag, {"tag": tag} | inputs_of(plan, world))
    return Begun(tag, plan, world, table.client.follow(run_id))


async def give_order(table: Running, run_id: str, verb: str, body: Any = None) -> Any:
    """Ask something of a run; None when it was over before, or cannot be forked there."""
    try:
        return await table.client.call("POST", f"/api/runs/{run_id}/{verb}", body)
    except Refused as refused:
        if refused.problem["code"] not in {"run_over", "fork_not_possible"}:
            raise
        return None


async def unfinished(table: Running) -> list[tuple[str, str]]:
    """Return the runs that are not over, each with its run at the top."""
    rows = await table.postgres.query(
        "WITH RECURSIVE up AS (SELECT id, id AS at FROM recipe_executions WHERE finished_at IS NULL UNION ALL "
        "SELECT up.id, (e.parent->>'run_id')::uuid FROM up JOIN recipe_executions e ON e.id = up.at "
        "WHERE e.parent IS NOT NULL) SELECT up.id::text AS id, e.id::text AS top FROM up "
        "JOIN recipe_executions e ON e.id = up.at WHERE e.parent IS NULL ORDER BY 1")
    return [(row["id"], row["top"]) for row in rows]


async def disturb(table: Running, chance: Random, runs: list[Begun]) -> None:
    """Kill the worker while one of the runs is paused, or after one was asked for its end."""
    calls, wanted = len(await table.model.calls()), chance.randint(1, 8)

    async def has_gone_on() -> bool:
        return len(await table.model.calls()) >= calls + wanted or not await unfinished(table)

    await until(has_gone_on)
    if not (at_work := await unfinished(table)):
        return
    chosen, top = chance.choice(at_work)
    verb = chance.choice(["pause", "pause", "pause", "cancel"])
    if await give_order(table, chosen, verb) and verb == "cancel":
        next(each for each in runs if each.run_id == top).is_disturbed = True
    await table.replace_worker()
    if verb == "pause":
        await give_order(table, chosen, "resume")


async def steps_under(table: Running, run_id: str, prefix: str = "") -> dict[str, dict[str, Any]]:
    """Return the steps of a run, and of those under it, by where they are, and check each of these runs."""
    run = await table.client.run(run_id)
    assert run["finished_at"], f"{prefix} {run['status']}"
    follower = table.client.follow(run_id)
    await follower.until_end(60)
    assert follower.is_gapless
    answers = Counter((each["order"], each["turn"]) for each in follower.data_of("model.answered"))
    assert set(answers.values()) <= {1}
    own = [step for step in run["steps"] if step["taken_over_from"] is None]
    assert run["total_tokens"] == sum(step["input_tokens"] + step["output_tokens"] for step in own)
    found = {prefix + step["path"]: step for step in run["steps"]}
    for step in own:
        if step["child"]:
            child = await table.client.run(step["child"]["run_id"])
            assert step["input_tokens"] + step["output_tokens"] == child["total_tokens"]
            assert (child["parent"]["run_id"], child["parent"]["path"]) == (run_id, step["path"])
            found |= await steps_under(table, child["id"], f"{prefix}{step['path']}>")
    return found


async def count(table: Running, tag: str) -> Counter[str]:
    """Count the model's calls by where they were asked; `Running.count` knows no step below an item."""
    return Counter(call["last_user_text"].removeprefix(f"[{tag} ").removesuffix("]") for call in await table.calls(tag))


async def check(table: Running, begun: Begun) -> None:
    """Compare a run that is over with the reference."""
    steps = await steps_under(table, begun.run_id)
    assert set((await count(table, begun.tag)).values()) <= set(range(1, KILLS + KILLS_OF_FORKS + 2))
    if begun.is_disturbed:
        return
    verdict = begun.verdict
    run = await table.client.run(begun.run_id)
    ends = "failed" if verdict.is_failed else "completed_with_skips" if verdict.has_skips else "completed"
    assert run["status"] == ends, str(begun)
    taken = {path for path, step in steps.items() if step["taken_over_from"]}
    known = {path: end for path, end in verdict.known.items() if path == (root := root_of(path)) or root not in taken}
    told = {path: status_of(step) for path, step in steps.items()}
    assert {path: told.get(path) for path in known} == known, str(begun)


def root_of(path: str) -> str:
    """Return the step of the run at the top under which a step is."""
    return re.split(r"[>\[]", path)[0]


def status_of(found: dict[str, Any]) -> str:
    """Say how a step ended in the words of the reference: what failed and was passed over has failed."""
    is_unneeded = (found["error"] or {}).get("code") == "step_not_needed"
    return "failed" if found["status"] == "skipped" and not is_unneeded else found["status"]


async def fork(table: Running, chance: Random, begun: Begun) -> Begun | None:
    """Begin a run again at one of its steps, where that can be."""
    start = chance.choice(begun.plan).key
    forked = await give_order(table, begun.run_id, "fork", {"from_step": start})
    return forked and Begun(begun.tag, begun.plan, begun.world, table.client.follow(forked["run_id"]),
                            begun.is_disturbed)


async def test_random_runs_and_those_under_them_end_as_the_reference_says_whatever_is_done_to_them(
    table: Running
) -> None:
    chance = Random(SEED)
    await table.replace_worker()
    runs = [await begin(table, f"g{number}", random_plan(chance), Scripted(SEED + number))
            for number in range(RANDOM_RUNS)]
    for _ in range(KILLS):
        await disturb(table, chance, runs)
    await asyncio.gather(*(each.follower.until_end(120) for each in runs))
    assert await unfinished(table) == []
    for each in runs:
        await check(table, each)

    before = {each.tag: await count(table, each.tag) for each in runs}
    forks = [forked for each in runs if not each.is_disturbed and (forked := await fork(table, chance, each))]
    for _ in range(KILLS_OF_FORKS):
        await disturb(table, chance, forks)
    await asyncio.gather(*(each.follower.until_end(120) for each in forks))
    assert await unfinished(table) == []
    for each in forks:
        await check(table, each)
        taken = {step["path"] for step in (await table.client.run(each.run_id))["steps"] if step["taken_over_from"]}
        again = await count(table, each.tag) - before[each.tag]
        assert taken.isdisjoint(map(root_of, again)), str(each)
