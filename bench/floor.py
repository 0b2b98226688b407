"""The floor: the least a server can do to run the three-step recipe durably and stream it live, written by hand.

Same recipe, model wire, paths and event stream as the product; one commit per step; unfinished executions go on at the
next start. No accounts, no agents, no limits, no other recipe: what the product costs more is what those cost.

    python -m bench.floor --port 9000 --database-url postgresql://... --model-url http://127.0.0.1:9099/v1
"""

import argparse
import ast
import asyncio
import operator
from collections.abc import AsyncGenerator, Callable
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import orjson
from aiohttp import web

TABLES = """
CREATE TABLE IF NOT EXISTS executions (id uuid PRIMARY KEY, task text NOT NULL,
                                       is_finished bool NOT NULL DEFAULT false);
CREATE INDEX IF NOT EXISTS executions_unfinished ON executions (id) WHERE NOT is_finished;
CREATE TABLE IF NOT EXISTS events (execution_id uuid REFERENCES executions, seq int, type text NOT NULL,
                                   data text NOT NULL, PRIMARY KEY (execution_id, seq));
"""
ACCEPT = """WITH fresh AS (INSERT INTO executions (id, task) VALUES ($1, $2) RETURNING id)
INSERT INTO events SELECT id, 1, 'execution.queued', '{}' FROM fresh"""
RECORD = """WITH done AS (UPDATE executions SET is_finished = is_finished OR $5 WHERE id = $1)
INSERT INTO events SELECT $1, * FROM unnest($2::int[], $3::text[], $4::text[])"""
STEPS = (
    ("reckoned", "{task}"), ("written", "Write a line about: {reckoned}"), ("edited", "Improve this line: {written}"),
)
CALCULATOR = {"type": "function", "function": {
    "name": "calculator", "description": "Work out an arithmetic expression.",
    "parameters": {"type": "object", "properties": {"expression": {"type": "string"}}, "required": ["expression"]},
}}
OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}
DELTA_INTERVAL_S = 0.05
AT_ONCE = 64


class Live:
    """The frames of one running execution; those without a number are live only."""

    def __init__(self) -> None:
        self.frames: list[tuple[int | None, bytes]] = []
        self.changed = asyncio.Event()
        self.is_ended = False

    def publish(self, kind: str, data: str, seq: int | None = None) -> None:
        self.frames.append((seq, frame(kind, data, seq)))
        self.changed.set()
        self.changed = asyncio.Event()


class Floor:
    """The server's two verbs, accept and follow, and the work between them."""

    def __init__(self, model_url: str, database_url: str) -> None:
        self.model_url, self.database_url = model_url, database_url
        self.running: dict[UUID, Live] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.slots = asyncio.Semaphore(AT_ONCE)

    async def lifespan(self, _: web.Application) -> AsyncGenerator[None]:
        async with (
            asyncpg.create_pool(self.database_url, min_size=2, max_size=16) as self.pool,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as self.session,
        ):
            await self.pool.execute(TABLES)
            for row in await self.pool.fetch("SELECT id, task FROM executions WHERE NOT is_finished ORDER BY id"):
                stored = await self.pool.fetch("SELECT * FROM events WHERE execution_id = $1 ORDER BY seq", row["id"])
                self.start(row["id"], row["task"], stored)
            yield
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

    async def accept(self, request: web.Request) -> web.Response:
        task = orjson.loads(await request.read())["input_data"]["task"]
        execution_id = uuid4()
        await self.pool.execute(ACCEPT, execution_id, task)
        self.start(execution_id, task, [{"seq": 1, "type": "execution.queued", "data": "{}"}])
        body = orjson.dumps({"recipe_execution_id": execution_id, "status": "queued"})
        return web.Response(body=body, status=202, content_type="application/json")

    async def follow(self, request: web.Request) -> web.StreamResponse:
        after, execution_id = int(request.headers.get("Last-Event-ID", "0")), UUID(request.match_info["id"])
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        live = self.running.get(execution_id)
        if live is None:
            rows = await self.pool.fetch(
                "SELECT * FROM events WHERE execution_id = $1 AND seq > $2 ORDER BY seq", execution_id, after)
            await response.write(b"".join(frame(row["type"], row["data"], row["seq"]) for row in rows))
        at, is_ended = 0, live is None
        while live and not is_ended:
            changed, is_ended, fresh = live.changed, live.is_ended, live.frames[at:]
            at += len(fresh)
            if wanted := [raw for seq, raw in fresh if seq is None or seq > after]:
                await response.write(b"".join(wanted))
            if not is_ended:
                await changed.wait()
        return response

    def start(self, execution_id: UUID, task: str, stored: list[Any]) -> None:
        live = self.running[execution_id] = Live()
        for row in stored:
            live.publish(row["type"], row["data"], row["seq"])
        outputs = [orjson.loads(row["data"])["output"] for row in stored if row["type"] == "step.completed"]
        job = asyncio.create_task(self.drive(execution_id, live, task, outputs, len(stored)))
        self.tasks.add(job)
        job.add_done_callback(self.tasks.discard)

    async def drive(self, execution_id: UUID, live: Live, task: str, outputs: list[str], seq: int) -> None:
        async with self.slots:
            for order in range(len(outputs), len(STEPS)):
                known = {"task": task} | {key: text for (key, _), text in zip(STEPS, outputs, strict=False)}
                live.publish("step.started", dumps({"order": order + 1}))
                turns = await self.converse(live, STEPS[order][1].format(**known), [CALCULATOR] if order == 0 else [])
                outputs.append(turns[-1]["content"])
                facts = [("step.completed", dumps({"order": order + 1, "output": outputs[-1], "turns": turns}))]
                if len(outputs) == len(STEPS):
                    facts.append(("execution.completed", dumps({"final_output": outputs[-1]})))
                seq = await self.record(execution_id, live, seq, facts)
        del self.running[execution_id]

    async def record(self, execution_id: UUID, live: Live, seq: int, facts: list[tuple[str, str]]) -> int:
        seqs, is_last = list(range(seq + 1, seq + 1 + len(facts))), len(facts) == 2
        await self.pool.execute(RECORD, execution_id, seqs, *map(list, zip(*facts, strict=True)), is_last)
        live.is_ended = is_last
        for number, (kind, data) in zip(seqs, facts, strict=True):
            live.publish(kind, data, number)
        return seqs[-1]

    async def converse(self, live: Live, prompt: str, tools: list[Any]) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = [{"role": "user", "content": prompt}]
        while not (answer := await self.ask(live, messages, tools)).get("tool_calls"):
            return [*messages, answer]
        messages.append(answer)
        for call in answer["tool_calls"]:
            result = calculate(orjson.loads(call["function"]["arguments"])["expression"])
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
        return [*messages, await self.ask(live, messages, tools)]

    async def ask(self, live: Live, messages: list[Any], tools: list[Any]) -> dict[str, Any]:
        body = {"model": "fake-model", "messages": messages, "stream": True} | ({"tools": tools} if tools else {})
        text, unsent, calls, last_sent = "", "", {}, asyncio.get_running_loop().time()
        async with self.session.post(f"{self.model_url}/chat/completions", data=orjson.dumps(body),
                                     headers={"Content-Type": "application/json"}) as response:
            response.raise_for_status()
            async for line in response.content:
                if not line.startswith(b"data: {"):
                    continue
                for choice in orjson.loads(line[6:])["choices"]:
                    delta = choice["delta"]
                    for call in delta.get("tool_calls") or ():
                        known = calls.setdefault(call["index"], {"id": call.get("id"), "type": "function",
                                                                 "function": {"name": "", "arguments": ""}})
                        for name, part in call["function"].items():
                            known["function"][name] += part or ""
                    unsent += delta.get("content") or ""
                if unsent and (now := asyncio.get_running_loop().time()) - last_sent > DELTA_INTERVAL_S:
                    live.publish("step.delta", dumps({"text": unsent}))
                    text, unsent, last_sent = text + unsent, "", now
        if unsent:
            live.publish("step.delta", dumps({"text": unsent}))
        answer = {"role": "assistant", "content": text + unsent}
        return answer | ({"tool_calls": list(calls.values())} if calls else {})


def calculate(expression: str) -> str:
    def value(node: ast.expr) -> Any:
        if isinstance(node, ast.BinOp):
            return OPERATORS[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return node.value
        raise ValueError("only + - * / on numbers")
    return str(value(ast.parse(expression, mode="eval").body))


def dumps(data: Any) -> str:
    return orjson.dumps(data).decode()


def frame(kind: str, data: str, seq: int | None) -> bytes:
    head = "" if seq is None else f"id: {seq}\n"
    body = f'{{"seq":{seq or "null"},"type":"{kind}","data":{data}}}'
    return f"{head}event: {kind}\ndata: {body}\n\n".encode()


async def ready(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def serve(options: argparse.Namespace) -> web.Application:
    floor, app = Floor(options.model_url, options.database_url), web.Application()
    app.cleanup_ctx.append(floor.lifespan)
    app.add_routes([web.post("/api/workflow-recipes/{name}/execute", floor.accept),
                    web.get("/api/runs/{id}/events", floor.follow), web.get("/health", ready)])
    return app


if __name__ == "__main__":
    import uvloop

    parser = argparse.ArgumentParser()
    for option in ("--port", "--database-url", "--model-url"):
        parser.add_argument(option, required=True)
    chosen = parser.parse_args()
    web.run_app(serve(chosen), host="127.0.0.1", port=int(chosen.port), access_log=None, print=None,
                shutdown_timeout=1, loop=uvloop.new_event_loop())
