"""Workspaces made of rows with known references: who uses whom, written down apart from what the server computes."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from automatos.kernel.db import Database, dump_json
from automatos.kernel.ids import new_id

Rows = list[tuple[Any, ...]]
TOMORROW = datetime(2099, 1, 1, tzinfo=UTC)
"""No job of these rows is ever due, so that no worker touches them."""


@dataclass
class Truth:
    """What is known of each agent: work by place, what needs it again later, recipes naming it, agents after it."""

    work: defaultdict[int, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    again: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    recipes: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    followers: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))


@dataclass
class References:
    """One workspace's agents, recipes and executions, and the truth about them."""

    database: Database
    workspace_id: UUID
    random: Random
    agents: list[int] = field(default_factory=list)
    truth: Truth = field(default_factory=Truth)

    async def grow(self, *, agents: int, recipes: int, executions: int, tasks: int) -> None:
        async with self.database.recording(self.workspace_id) as connection:
            rows = await connection.fetch(
                "INSERT INTO agents (workspace_id, name, agent_type, status, configuration) "
                "SELECT $1, 'Agent ' || n || ' ' || $3, 'custom', 'active', '{\"max_concurrent_tasks\": 2}' "
                "FROM generate_series(1, $2) n RETURNING id", self.workspace_id, agents, new_id().hex)
        self.agents = [row["id"] for row in rows]
        known = await self._grow_recipes(recipes)
        await self._grow_executions(known, executions)
        await self._grow_tasks(tasks)

    async def _grow_recipes(self, count: int) -> list[tuple[int, str, list[int]]]:
        """Recipes whose newest version may name other agents than the version that executions run; some are deleted."""
        found: list[tuple[int, str, list[int]]] = []
        async with self.database.recording(self.workspace_id) as connection:
            for number in range(count):
                was, now = self._cast(), self._cast()
                is_deleted, template = self.random.random() < 0.2, f"r-{number}"
                recipe_id: int = await connection.fetchval(  # pyright: ignore[reportAssignmentType]
                    "INSERT INTO workflow_recipes (workspace_id, template_id, name, steps, version, deleted_at) "
                    "VALUES ($1, $2, $2, $3, 2, $4) RETURNING id", self.workspace_id, template,
                    dump_json(steps_of(now)), TOMORROW if is_deleted else None)
                await connection.executemany(
                    "INSERT INTO recipe_versions (recipe_id, version, workspace_id, definition) "
                    "VALUES ($1, $2, $3, $4)",
                    [(recipe_id, version, self.workspace_id, dump_json({"steps": steps_of(cast)}))
                     for version, cast in ((1, was), (2, now))])
                found.append((recipe_id, template, was))
                if not is_deleted:
                    self._note_recipe(template, now)
        return found

    def _note_recipe(self, template: str, cast: list[int]) -> None:
        for place, agent_id in enumerate(cast):
            self.truth.recipes[agent_id].add(template)
            first = cast.index(agent_id)
            if place == first:
                self.truth.followers[agent_id] |= set(cast[first + 1:]) - {agent_id}

    async def _grow_executions(self, recipes: list[tuple[int, str, list[int]]], count: int) -> None:
        executions, steps, jobs = Rows(), Rows(), Rows()
        for _ in range(count):
            recipe_id, _, cast = self.random.choice(recipes)
            run, done = new_id(), self.random.randint(0, len(cast))
            is_over = done == len(cast) or self.random.random() < 0.2
            is_running = not is_over and self.random.random() < 0.5
            executions.append((run, self.workspace_id, "recipe", recipe_id, 1, None, None,
                               "failed" if is_over else "running", len(cast), datetime.now(UTC) if is_over else None))
            steps += [(run, order, self.workspace_id, f"s{order}", agent_id, "completed", "k", datetime.now(UTC))
                      for order, agent_id in enumerate(cast[:done], start=1)]
            if is_over:
                continue
            if is_running:
                steps.append((run, done + 1, self.workspace_id, f"s{done + 1}", cast[done], "running", "k", None))
            else:
                jobs.append((str(run), self.workspace_id, f"agent:{cast[done]}"))
            self._note_work(run, cast[done:], "running" if is_running else "queued")
        await self._write(executions, steps, jobs)

    async def _grow_tasks(self, count: int) -> None:
        executions, jobs = Rows(), Rows()
        for _ in range(count):
            run, agent_id = new_id(), self.random.choice(self.agents)
            definition = dump_json({"name": "Task", "steps": steps_of([agent_id])})
            executions.append(
                (run, self.workspace_id, "task", None, 0, agent_id, definition, "queued", 1, None))
            jobs.append((str(run), self.workspace_id, f"agent:{agent_id}"))
            self._note_work(run, [agent_id], "queued")
        await self._write(executions, [], jobs)

    async def add_work(self, agent_id: int, place: str, *, again: bool = False) -> str:
        """Add one unfinished execution that needs the agent there, and at one more step, and return its id."""
        run, cast = new_id(), [self.agents[-1], agent_id] if place == "later" else [agent_id]
        cast += [agent_id] if again else []
        definition = dump_json({"name": "Task", "steps": steps_of(cast)})
        execution = (run, self.workspace_id, "task", None, 0, cast[0], definition, "running", len(cast), None)
        step = (run, 1, self.workspace_id, "s1", cast[0], "running", "k", None)
        job = (str(run), self.workspace_id, f"agent:{agent_id}")
        await self._write([execution], [] if place == "queued" else [step], [job] if place == "queued" else [])
        return str(run)

    def _note_work(self, run: UUID, cast: list[int], place: str) -> None:
        for agent_id in set(cast[1:]) - {cast[0]}:
            self.truth.work[agent_id][str(run)] = "later"
        self.truth.work[cast[0]][str(run)] = place
        for agent_id in set(cast[1:]):
            self.truth.again[agent_id].add(str(run))

    def _cast(self) -> list[int]:
        return [self.random.choice(self.agents) for _ in range(self.random.randint(1, 4))]

    async def _write(self, executions: Rows, steps: Rows, jobs: Rows) -> None:
        async with self.database.recording(self.workspace_id) as connection, connection.transaction():
            await connection.executemany(
                "INSERT INTO recipe_executions (id, workspace_id, kind, recipe_id, recipe_version, agent_id, "
                "definition, status, total_steps, finished_at, deadline_at) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now() + interval '1 day')", executions)
            await connection.executemany(
                "INSERT INTO recipe_execution_steps (execution_id, step_order, workspace_id, step_id, agent_id, "
                "status, output_key, finished_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", steps)
            await connection.executemany(
                "INSERT INTO durable.jobs (name, key, workspace_id, lane, run_at) "
                "VALUES ('recipes.run', $1, $2, $3, $4)",
                [(*job, TOMORROW) for job in jobs])

    async def finish_steps(self, agent_id: int, *, count: int, seconds: float, status: str = "completed") -> None:
        """Add finished steps of a known length to the history of an agent, all of one finished execution."""
        run, ended = new_id(), datetime.now(UTC) - timedelta(days=1)
        async with self.database.recording(self.workspace_id) as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO recipe_executions (id, workspace_id, kind, recipe_version, agent_id, definition, status, "
                "total_steps, finished_at) VALUES ($1, $2, 'task', 0, $3, '{\"steps\": []}', 'completed', $4, $5)",
                run, self.workspace_id, agent_id, count, ended)
            await connection.executemany(
                "INSERT INTO recipe_execution_steps (execution_id, step_order, workspace_id, step_id, agent_id, "
                "status, output_key, started_at, finished_at) VALUES ($1, $2, $3, 's', $4, $5, 'k', $6, $7)",
                [(run, order, self.workspace_id, agent_id, status, ended - timedelta(seconds=seconds), ended)
                 for order in range(1, count + 1)])


def steps_of(cast: Iterable[int]) -> list[dict[str, Any]]:
    """The steps of a definition, one agent each."""
    return [{"step_id": f"s{order}", "order": order, "agent_id": agent_id, "prompt_template": "Work",
             "output_key": f"k{order}"} for order, agent_id in enumerate(cast, start=1)]
