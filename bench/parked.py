"""What steps that wait for their time cost those that do not: nothing, if nobody looks at them before it comes."""

import asyncio
from statistics import median

from bench.load import Crowd, in_sequence
from bench.measures import IDLE_S, Figures, Lab, Window
from bench.systems import Product
from bench.usage import cpu_s

PARTS = 10_000
# Copies of a finished run of which the first step waits, with its job, until tomorrow.
PARK = """
WITH fresh AS (SELECT uuidv7() AS id FROM generate_series(1, $2::int)),
e AS (INSERT INTO recipe_executions
      SELECT (jsonb_populate_record(t, jsonb_build_object('id', f.id, 'status', 'waiting', 'finished_at', NULL))).*
      FROM fresh f, recipe_executions t WHERE t.id = $1),
s AS (INSERT INTO recipe_execution_steps
      SELECT (jsonb_populate_record(t, jsonb_build_object('execution_id', f.id, 'kind', 'wait', 'status', 'waiting',
                                                          'finished_at', NULL))).*
      FROM fresh f, recipe_execution_steps t WHERE t.execution_id = $1 AND t.step_order = 1)
INSERT INTO durable.jobs (name, key, workspace_id, run_at, is_parked)
SELECT 'runs.step', f.id || '/' || t.path, t.workspace_id, now() + interval '1 day', true
FROM fresh f, recipe_execution_steps t WHERE t.execution_id = $1 AND t.step_order = 1
"""


async def parked(lab: Lab, system: Product) -> Figures:
    """Measure runs, their beginning and an idle system, first with nothing parked, then beside many."""
    async with Crowd(system.target, 1) as crowd:
        await crowd.work(2.0)
    figures = await _beside(lab, system, 0)
    run = (await system.query("SELECT id FROM recipe_executions WHERE finished_at IS NOT NULL LIMIT 1"))[0]["id"]
    for first in range(0, lab.sizes.parked, PARTS):
        await system.query(PARK, run, min(PARTS, lab.sizes.parked - first))
    return figures | await _beside(lab, system, lab.sizes.parked)


async def _beside(lab: Lab, system: Product, steps: int) -> Figures:
    name = f"{steps} parked steps"
    window = Window(lab, system)
    async with Crowd(system.target, 16) as crowd:
        timings = await window.watch(crowd, lab.sizes.window_s)
    alone = await in_sequence(system.target, lab.sizes.samples)
    await asyncio.sleep(IDLE_S)
    before = cpu_s(system.servers()) + cpu_s(system.databases())
    await asyncio.sleep(IDLE_S)
    spent = cpu_s(system.servers()) + cpu_s(system.databases()) - before
    return {
        f"{name}: executions/s": len(timings) / window.seconds,
        **{key: value for key, value in window.per_run(name, len(timings)).items() if "(" not in key},
        f"{name}: first event after POST, p50": 1000 * median(each.first_event for each in alone),
        f"{name}, idle: CPU of a core": 100 * spent / IDLE_S,
    }
