"""What a long queue and a long history do to the product: both on a PostgreSQL that can be asked and filled."""

import asyncio
import time
from statistics import median
from uuid import UUID

from bench.load import Crowd, fill, probe
from bench.measures import Figures, Lab, Window, spread
from bench.systems import COPIES, Product
from bench.wire import request

NEVER_ANALYSED = {"autovacuum": "off"}
FINISHED = "SELECT count(*) FROM recipe_executions WHERE finished_at IS NOT NULL"
SIZE = "SELECT pg_database_size(current_database()) AS bytes"
LISTS = {
    "runs": "/api/runs?limit=50", "runs that failed": "/api/runs?limit=50&status=failed",
    "runs without a recipe": "/api/runs?limit=50&kind=task",
    "recipes": "/api/workflow-recipes", "a recipe's runs": f"/api/workflow-recipes/{COPIES[0]}/executions",
    "a recipe's runs that failed": f"/api/workflow-recipes/{COPIES[0]}/executions?status=failed",
    "an agent's steps": "/api/agents/{agent}/runs", "preview of a stop": "/api/agents/{agent}/status/preview",
    "usage": "/api/usage/summary", "agents": "/api/agents", "numbers of agents": "/api/agents/stats",
    "heartbeats": "/api/heartbeat/workspace", "health": "/health",
}
# Copies of a finished run with its steps, calls and events, each a second older than the one before.
CLONE = """
WITH fresh AS (SELECT uuidv7(-n * interval '1 second') AS id FROM generate_series($2::int, $3::int) AS n),
e AS (INSERT INTO recipe_executions
      SELECT (jsonb_populate_record(t, jsonb_build_object('id', f.id))).* FROM fresh f, recipe_executions t
      WHERE t.id = $1 RETURNING id),
s AS (INSERT INTO recipe_execution_steps
      SELECT (jsonb_populate_record(t, jsonb_build_object('execution_id', f.id))).*
      FROM fresh f, recipe_execution_steps t WHERE t.execution_id = $1 RETURNING 1),
u AS (INSERT INTO llm_usage (workspace_id, agent_id, execution_id, request_type, provider, model_id, status,
                             input_tokens, output_tokens, total_tokens)
      SELECT t.workspace_id, t.agent_id, f.id, t.request_type, t.provider, t.model_id, t.status, t.input_tokens,
             t.output_tokens, t.total_tokens FROM fresh f, llm_usage t WHERE t.execution_id = $1 RETURNING 1)
INSERT INTO event_records SELECT (jsonb_populate_record(t, jsonb_build_object('stream', 'run:' || f.id))).*
FROM fresh f, event_records t WHERE t.stream = 'run:' || $1::text
"""


async def drain(lab: Lab, system: Product) -> Figures:
    """Queue thousands in tables that nobody analyses, then let them be worked off, and accept more meanwhile."""
    await lab.set_latency(lab.sizes.slow_model_s)
    await fill(system.target, lab.sizes.queued)
    await lab.set_latency(lab.latency_ms / 1000)
    await asyncio.sleep(lab.sizes.slow_model_s)
    before = (await system.query(FINISHED))[0]["count"]
    window = Window(lab, system)
    accepts = await window.over(_accepting(lab, system))
    done = (await system.query(FINISHED))[0]["count"] - before
    name = f"drain of {lab.sizes.queued}, never analysed"
    return {f"{name}: executions/s": done / window.seconds, **window.per_run(name, done),
            **spread(f"{name}: accept", accepts)}


async def _accepting(lab: Lab, system: Product) -> list[float]:
    (_, accepts), _ = await asyncio.gather(probe(system.target, lab.sizes.probes), asyncio.sleep(lab.sizes.drain_s))
    return accepts


async def history(lab: Lab, system: Product) -> Figures:
    """Measure runs and lists beside a history that grows."""
    figures: Figures = {}
    async with Crowd(system.target, 1) as crowd:
        await crowd.work(2.0)
    row = (await system.query("SELECT e.id, s.agent_id FROM recipe_executions e JOIN recipe_execution_steps s "
                              "ON s.execution_id = e.id WHERE e.finished_at IS NOT NULL LIMIT 1"))[0]
    stored = 1
    for size in lab.sizes.history:
        for first in range(stored, size, 5_000):
            await system.query(CLONE, row["id"], first, min(first + 4_999, size))
        stored = size + 1
        await system.query("ANALYZE")
        figures |= await _beside(lab, system, size, row["id"], row["agent_id"])
    return figures


async def _beside(lab: Lab, system: Product, size: int, run: UUID, agent: int) -> Figures:
    name = f"history of {size}"
    window = Window(lab, system)
    bytes_before, runs_before = (await system.query(SIZE))[0]["bytes"], (await system.query(FINISHED))[0]["count"]
    async with Crowd(system.target, 16) as crowd:
        timings = await window.watch(crowd, lab.sizes.window_s)
    runs = (await system.query(FINISHED))[0]["count"] - runs_before
    grown = (await system.query(SIZE))[0]["bytes"] - bytes_before
    figures: Figures = {f"{name}: executions/s": len(timings) / window.seconds,
                        f"{name}: kB a run": grown / 1024 / max(runs, 1)}
    figures |= {key: value for key, value in window.per_run(name, len(timings)).items() if "(" not in key}
    for what, path in {**LISTS, "one run": f"/api/runs/{run}"}.items():
        figures[f"{name}: {what}"] = await _asked(lab, system, path.format(agent=agent))
    return figures


async def _asked(lab: Lab, system: Product, path: str) -> float:
    """Return how many milliseconds an answer takes, the median of some."""
    is_preview = path.endswith("preview")
    body = b'{"status":"inactive"}' if is_preview else b""
    raw = request("POST" if is_preview else "GET", path, system.target.host, system.target.headers, body)
    seconds: list[float] = []
    async with system.target.connect() as connection:
        for _ in range(lab.sizes.samples):
            begin = time.perf_counter()
            await connection.send(raw)
            seconds.append(time.perf_counter() - begin)
    return median(seconds) * 1000
