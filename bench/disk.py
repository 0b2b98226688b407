"""What a run leaves on the disk, table by table: rows with their texts, and every index."""

from bench.load import Crowd
from bench.measures import Figures, Lab
from bench.systems import Product

KB = 1024
SLICE_S = 0.25
CLIENTS = 16
FINISHED = "SELECT count(*) FROM recipe_executions WHERE finished_at IS NOT NULL"
WRITTEN = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint AS wal"
SIZES = """
SELECT n.nspname || '.' || c.relname AS name, pg_table_size(c.oid) AS rows, pg_indexes_size(c.oid) AS indexes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname IN ('public', 'durable') ORDER BY 1
"""


async def disk(lab: Lab, system: Product) -> Figures:
    """Let 16 clients execute, and share out what the tables grow by and what is written to the log.

    As much is executed before, and a VACUUM follows: what is written for a while only has its room then, as it has in a
    system that works for longer than autovacuum needs.
    """
    name = f"disk, {lab.sizes.stored} runs"
    await _execute(system, lab.sizes.stored)
    before, wal_before = await _sizes(system), (await system.query(WRITTEN))[0]["wal"]
    runs = await _execute(system, lab.sizes.stored)
    wal = (await system.query(WRITTEN))[0]["wal"] - wal_before
    grown = {part: (size - before[part]) / KB / runs for part, size in (await _sizes(system)).items()}
    parts = sorted(grown.items(), key=lambda each: -each[1])
    return {f"{name}: kB a run": sum(grown.values()), f"{name}: log, kB a run": wal / KB / runs} | {
        f"{name}: {part}, kB a run": size for part, size in parts if abs(size) >= 0.01}


async def _execute(system: Product, least: int) -> int:
    """Execute at least so many runs, and return how many have ended."""
    before = (await system.query(FINISHED))[0]["count"]
    async with Crowd(system.target, CLIENTS) as crowd:
        while len(crowd.finished) < least:
            await crowd.work(SLICE_S)
    return (await system.query(FINISHED))[0]["count"] - before


async def _sizes(system: Product) -> dict[str, int]:
    await system.query("VACUUM")
    return {f"{row['name'].removeprefix('public.')} {what}": row[what]
            for row in await system.query(SIZES) for what in ("rows", "indexes")}
