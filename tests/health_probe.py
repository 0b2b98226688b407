"""How long others wait while somebody sends what is dear to read: /health, asked every 100 ms, during each input.

    python -m tests.health_probe [part of an input's name]

starts a real server with its own database, and prints a line for each input: the longest and the middle answer of
/health in milliseconds, how often it was asked, and what became of the input. The first and the last line are of a
server that is left alone, on the machine as it is now: they say how much of the others is the machine's.
"""

import asyncio
import http.client
import statistics
import sys
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from aiohttp import web

from tests.byte_inputs import archive, pack_of_small_copies, repeated
from tests.byte_takers import references
from tests.chaos.client import Client, Refused, set_up
from tests.chaos.harness import stage
from tests.fakes.git_server import GitServer
from tests.fakes.model_server import ModelServer, Reply

EVERY_S, ALONE_S, AFTERWARDS_S, LONGEST_S, START_S = 0.1, 5.0, 1.0, 60.0, 300.0
HALF_HEADS = 300
STREAM = "text/event-stream"
FINISH = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
PAGES = {
    "open tags": repeated("<a ")(2_000_000), "nested": repeated("<div>")(2_000_000),
    "references": repeated("&#9")(2_000_000),
}


@dataclass
class Scene:
    """A running server, its owner, and the hostile servers beside it."""

    client: Client
    model: ModelServer
    git: GitServer
    pages: str

    async def agent(self, **more: Any) -> int:
        """Return a new agent that takes work: one that failed takes none."""
        body = {"name": f"Reader {time.monotonic_ns()}", "agent_type": "custom", "tools": ["research", "calculator"],
                "configuration": {"retry_attempts": 0}} | more
        agent = await self.client.call("POST", "/api/agents", body)
        await self.client.call("POST", f"/api/agents/{agent['id']}/activate")
        return agent["id"]

    async def task(self, prompt: str, *replies: Reply, **more: Any) -> str:
        """Have a new agent work on a prompt while the model answers so; return how it ended."""
        self.model.reset()
        self.model.script(*replies)
        agent_id = await self.agent(**more)
        task = await self.client.call("POST", f"/api/agents/{agent_id}/execute", {"prompt": prompt})
        await self.client.follow(task["execution_id"]).until_end(LONGEST_S)
        run = await self.client.run(task["execution_id"])
        return f"{run['status']} {(run['error'] or {}).get('code', '')}".strip()

    async def send(self, path: str, body: bytes, kind: str = "application/json") -> str:
        address, headers = self.client.url + path, {"Content-Type": kind}
        headers["X-API-Key"] = self.client.key
        async with aiohttp.ClientSession() as fresh, fresh.post(address, data=body, headers=headers) as answer:
            said = await answer.read()
            with suppress(orjson.JSONDecodeError, TypeError, KeyError):
                return f"{answer.status} {orjson.loads(said)['code']}"
            return str(answer.status)


Input = Callable[[Scene], Awaitable[str]]


def page(name: str, path: str = "") -> Input:
    return lambda scene: scene.task("Read it.", Reply(
        tool_calls=[("research", {"url": f"{scene.pages}/{path or 'page'}/{name.replace(' ', '-')}"})]))


def answered(body: Callable[[], bytes]) -> Input:
    return lambda scene: scene.task("Say it.", Reply(body=body(), content_type=STREAM))


def deltas(count: int, **fields: Any) -> bytes:
    one = b"data: " + orjson.dumps({"choices": [{"delta": fields}]}) + b"\n\n"
    return one * count


async def pack(scene: Scene) -> str:
    repository = scene.git.repository("acme/skills")
    repository.commit({"skills/a/SKILL.md": "---\nname: a\ndescription: b\n---\nx\n"})
    repository.pack = pack_of_small_copies(4_900_000)
    return await scene.send("/api/skills/sources/git", orjson.dumps(
        {"git_url": scene.git.url_of("acme/skills"), "source_name": "hostile"}))


async def zip_bomb(scene: Scene) -> str:
    files = [(f"s{at}/SKILL.md", b"---\nname: a\n---\n" + b"x" * 900_000) for at in range(200)]
    return await scene.send("/api/skills/upload", archive(files), "application/zip")


async def many_entries(scene: Scene) -> str:
    head = b"---\nname: a\ndescription: b\nx: [" + b"[" * 30 + b"]" * 30 + b"]\n---\n"
    return await scene.send("/api/skills/upload", archive((f"s{at}/SKILL.md", head) for at in range(2_000)),
                            "application/zip")


async def giant_prompt(scene: Scene) -> str:
    agent_id = await scene.agent()
    step = {"step_id": "s", "order": 1, "agent_id": agent_id, "prompt_template": "{input.x}" * 2_500}
    recipe: dict[str, Any] = {"template_id": f"bomb-{time.monotonic_ns()}", "name": "Bomb",
                              "inputs": {"x": {"type": "string"}}, "steps": [step]}
    await scene.client.call("POST", "/api/workflow-recipes", recipe)
    run_id = await scene.client.execute(recipe["template_id"], {"x": "x" * 100_000})
    await scene.client.follow(run_id).until_end(LONGEST_S)
    return str((await scene.client.run(run_id))["error"]["code"])


async def head(scene: Scene) -> str:
    """One header of 80 MB, from a stranger."""
    parts = urlsplit(scene.client.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
        for _ in range(80):
            writer.write(b"a" * 1_000_000)
            await writer.drain()
        writer.write(b"\r\n\r\n")
    except ConnectionError:
        return "closed"
    finally:
        said = b""
        with suppress(ConnectionError):
            said = await reader.readline()
        writer.close()
    return said.decode().strip() or "closed"


async def half_heads(scene: Scene) -> str:
    """Connections that begin a head and never end it; those beyond the bound are turned away."""
    parts = urlsplit(scene.client.url)
    opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    for _ in range(HALF_HEADS):
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: b")
            opened.append((reader, writer))
    answers = asyncio.gather(*(reader.readline() for reader, _ in opened), return_exceptions=True)
    await asyncio.wait([answers], timeout=3)
    turned_away = sum(reader.at_eof() or bool(reader._buffer) for reader, _ in opened)  # type: ignore[attr-defined]
    answers.cancel()
    with suppress(asyncio.CancelledError):
        await answers
    for _, writer in opened:
        writer.close()
    return f"{len(opened) - turned_away} held, {turned_away} turned away"


def yaml(text: bytes) -> Input:
    return lambda scene: scene.send("/api/agents/import", orjson.dumps({"yaml": text.decode()}))


async def regex_schema(scene: Scene) -> str:
    """A skill whose tool demands a pattern that takes for ever, and a call with a text for it."""
    name = f"slow-{time.monotonic_ns()}"
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}
    skill = await scene.client.call("POST", "/api/skills", {
        "name": name, "description": "Slow.", "content": "Use it.",
        "files": [{"path": "scripts/x.py", "content": "print(1)"}],
        "tools_schema": [{"name": "t", "description": "d", "parameters": schema, "command": "scripts/x.py"}]})
    call = Reply(tool_calls=[(f"{name}__t", {"a": "a" * 50_000 + "!"})])
    return await scene.task("Call it.", call, skill_ids=[skill["id"]], tools=[])


async def doubling_schema(scene: Scene) -> str:
    tools = orjson.dumps([{"name": "t", "description": "d", "parameters": references(40_000),
                           "command": "scripts/x.py"}])
    files = {"s/SKILL.md": b"---\nname: s\ndescription: d\n---\nx\n", "s/tools.json": tools, "s/scripts/x.py": b""}
    return await scene.send("/api/skills/upload", archive(files.items()), "application/zip")


INPUTS: dict[str, Input] = {
    **{f"page of 2 MB, {name}": page(name) for name in PAGES},
    "page that unpacks to 2 GB": page("bomb", "packed"),
    "page in punycode": page("open tags", "punycode"),
    "git pack of 4.9 million copies": pack,
    "ZIP that unpacks to 180 MB": zip_bomb,
    "ZIP of 2,000 skills": many_entries,
    "answer of one endless line": answered(lambda: b"data: " + b"x" * 30_000_000),
    "answer of 700,000 tiny events": answered(lambda: deltas(700_000, content="x")),
    "answer of one event of 4 MB": answered(lambda: b"data: " + orjson.dumps(
        {"choices": [{"delta": {"content": "x" * 3_900_000}}]}) + b"\n\n"),
    "answer of numbered details": answered(lambda: b"data: " + orjson.dumps({"choices": [{"delta": {
        "reasoning_details": [{"index": at} for at in range(250_000)]}}]}) + b"\n\n"),
    "answer of open calls": answered(lambda: deltas(200_000, tool_calls=[{"function": {"arguments": "}"}}])),
    "answer of blanks": answered(lambda: deltas(400_000, content=" ")),
    "answer of pairs of calls": answered(lambda: deltas(1, content="<tool_call>calculator<arg_key>") + deltas(
        1, content="</arg_key><arg_value>" * 150_000) + FINISH),
    "prompt of 250 MB": giant_prompt,
    "header of 80 MB": head,
    f"{HALF_HEADS} half heads": half_heads,
    "YAML bomb of aliases": yaml(b"".join(
        b"a%d: &a%d [%s]\n" % (at, at, b", ".join([b"*a%d" % (at - 1)] * 9) if at else b"x") for at in range(12))),
    "YAML of 1 MB of braces": yaml(repeated("{a: ")(990_000)),
    "YAML of 1 MB of keys": yaml(b"".join(b"%d: v\n" % (at * (2**61 - 1)) for at in range(30_000))),
    "JSON body, 500,000 deep": lambda scene: scene.send("/api/agents", b"[" * 500_000),
    "JSON body, 80,000 names": lambda scene: scene.send("/api/agents", orjson.dumps(
        {f"k{at}": at for at in range(80_000)})),
    "JSON body, a number of 900,000 digits": lambda scene: scene.send(
        "/api/agents", b'{"name":' + b"9" * 900_000 + b"}"),
    "schema with a pattern": regex_schema,
    "schema that doubles": doubling_schema,
}


async def serve_page(request: web.Request) -> web.StreamResponse:
    kind, name = request.match_info["kind"], request.match_info["name"].replace("-", " ")
    if kind == "packed":
        return web.Response(body=packed_page(), headers={"Content-Type": "text/html", "Content-Encoding": "gzip"})
    charset = "punycode" if kind == "punycode" else "utf-8"
    return web.Response(body=PAGES[name], headers={"Content-Type": f"text/html; charset={charset}"})


@cache
def packed_page() -> bytes:
    """Return 2 GB of page, packed to 2 MB."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(b"<p>" + b"x" * 999_997) for _ in range(2_000)), packer.flush()])


@asynccontextmanager
async def hostile_pages() -> AsyncIterator[str]:
    """Serve the pages; yields where."""
    packed_page()
    app = web.Application()
    app.add_routes([web.get("/{kind}/{name}", serve_page)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def watch(url: str) -> None:
    """Ask /health until the process is ended; print when each question was asked and how long its answer took."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    while True:
        began = time.monotonic()
        connection.request("GET", "/health")
        connection.getresponse().read()
        took = time.monotonic() - began
        sys.stdout.write(f"{began} {took}\n")
        sys.stdout.flush()
        time.sleep(max(EVERY_S - took, 0))


async def measured(asked: list[tuple[float, float]], name: str, work: Awaitable[str], for_s: float) -> None:
    """Print how long the answers took that were asked for during the work and shortly after it."""
    began = time.monotonic()
    try:
        ended = await asyncio.wait_for(work, LONGEST_S)
    except (TimeoutError, Refused, aiohttp.ClientError, AssertionError, KeyError) as error:
        ended = f"{type(error).__name__} {error}"[:120]
    took = time.monotonic() - began
    await asyncio.sleep(for_s)
    last = time.monotonic()
    while asked[-1][0] < last - EVERY_S * 2:  # the answer that is being waited for counts too
        await asyncio.sleep(EVERY_S)
    answers = [answer * 1000 for at, answer in asked if at + answer >= began and at <= last]
    sys.stdout.write(f"{max(answers):8.0f} {statistics.median(answers):7.0f} {len(answers):6}  {name} "
                     f"({took:.1f} s): {ended}\n")
    sys.stdout.flush()


async def nothing() -> str:
    return ""


async def read_answers(watcher: asyncio.subprocess.Process, asked: list[tuple[float, float]]) -> None:
    if watcher.stdout is None:
        return
    async for line in watcher.stdout:
        at, took = line.split()
        asked.append((float(at), float(took)))


async def probe(wanted: str) -> None:
    """Run every input whose name holds `wanted` against a server of its own."""
    async with stage() as theatre, ModelServer() as model, GitServer() as git, hostile_pages() as pages:
        server = theatre.launch_server(model=model, variables={"AUTOMATOS_ALLOW_PRIVATE_URLS": "true"})  # type: ignore[arg-type]
        await server.until_ready(START_S)
        async with await set_up(server.url) as client:
            scene = Scene(client, model, git, pages)
            await scene.task("Warm up.", Reply(tool_calls=[("research", {"url": f"{pages}/page/nested"})]))
            watcher = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.health_probe", "--watch", server.url, stdout=asyncio.subprocess.PIPE,
                cwd=Path(__file__).parents[1])
            asked: list[tuple[float, float]] = []
            reading = asyncio.create_task(read_answers(watcher, asked))
            try:
                while not asked:
                    await asyncio.sleep(EVERY_S)
                sys.stdout.write(" longest  middle  asked  input (ms)\n")
                await measured(asked, "nothing", nothing(), ALONE_S)
                for name, send in INPUTS.items():
                    if wanted in name:
                        await measured(asked, name, send(scene), AFTERWARDS_S)
                await measured(asked, "nothing, afterwards", nothing(), ALONE_S)
            finally:
                watcher.kill()
                reading.cancel()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--watch"]:
        watch(sys.argv[2])
    asyncio.run(probe(sys.argv[1] if len(sys.argv) > 1 else ""))
