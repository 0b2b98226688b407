"""A scripted model server on a real socket: Chat Completions, Responses and Messages, every call recorded.

    async with ModelServer() as server:
        server.script(Reply(text="Hello"), Reply(status=429, headers={"Retry-After": "1"}))   # in order, once each
        server.script(Reply(text="Paris"), match="capital of France", repeat=True)            # whenever the text has it
        settings.openai_base_url = server.base_url          # http://127.0.0.1:<port>/v1
        settings.anthropic_base_url = server.url            # http://127.0.0.1:<port>
        ...
        assert server.calls[0].last_user_text == "..."

Without a script it answers by one rule: when tools are offered, the last user text says "use tool NAME {json}" and no
tool result follows that text, it calls the tool NAME; else it answers a text made from the request alone.

As it comes it is one of the many compatible servers that have no `/responses` and answer 404 there, unrecorded; with
`server.serves_responses = True` it has it. `ModelServer(strict=strict("gemini"))`, or `server.strict = ...` between
tests, makes it as strict as a provider: it serves that provider's wires only, reasons before each answer as that
provider does, and refuses what that provider refuses, in its words; see `model_strict`.

As a process: `python -m tests.fakes.model_server --port 9099 --latency-ms 50 --chunks 62 --strict gemini`, with
`GET /calls`, `GET /load`, `POST /script` and `POST /reset`.
"""

import argparse
import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from typing import Any, Self

import orjson
from aiohttp import web

from tests.fakes import model_responses as responses
from tests.fakes import model_wires as wires
from tests.fakes.model_calls import Call, Reply
from tests.fakes.model_strict import PROVIDERS, Strict, strict

MODELS = ("gpt-6.1-terra", "gpt-5-mini", "gpt-4o", "claude-sonnet-4-5", "fake-model", "fake-small")
USE_TOOL = re.compile(r"use tool\s+([\w.\-]+)\s*(.*)", re.IGNORECASE | re.DOTALL)
HTML = b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


@dataclass
class _Rule:
    reply: Reply
    match: Callable[[Call], bool]
    repeat: bool


class ModelServer:
    """The server; `url` and `base_url` are valid after `start`, `calls` grows with every call that arrives."""

    def __init__(self, *, port: int = 0, latency_s: float = 0.0, chunks: int = 8, burst: int = 1,
                 keep_calls: int = 100_000, strict: Strict | None = None) -> None:
        self.calls: list[Call] = []
        self.strict = strict
        self.serves_responses = False
        self.keeps_models = False  # whether the list of models wants a key
        self.refused: list[str] = []  # what was said to requests that the strict provider does not take
        self.issued: set[str] = set()  # every piece of reasoning that was handed out, so that it is known again
        self.open_calls = 0
        self.most_open_calls = 0
        self._rules: list[_Rule] = []
        self._port, self._latency_s, self._chunks, self._burst, self._keep = port, latency_s, chunks, burst, keep_calls
        self._runner: web.AppRunner | None = None
        self._arrived = asyncio.Condition()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.add_routes([
            *(web.post(f"/{{prefix:.*}}{path}", self._handler)
              for path in ("/chat/completions", "/messages", "/responses")),
            web.get("/{prefix:.*}/models", self._models), web.get("/calls", self._list_calls),
            web.get("/load", self._load), web.post("/script", self._script), web.post("/reset", self._reset),
        ])
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def script(self, *replies: Reply, match: str | Callable[[Call], bool] | None = None, repeat: bool = False) -> None:
        """Add replies, used in order by the calls that match (a text is looked for in the last user text)."""
        if isinstance(match, str):
            wanted = match
            test: Callable[[Call], bool] = lambda call: wanted in call.last_user_text  # noqa: E731
        else:
            test = match or (lambda _: True)
        self._rules += [_Rule(reply, test, repeat) for reply in replies]

    def reset(self) -> None:
        """Forget every script and every recorded call."""
        self._rules.clear()
        self.calls.clear()
        self.refused.clear()
        self.issued.clear()
        self.strict = None
        self.serves_responses = self.keeps_models = False
        self.most_open_calls = self.open_calls

    async def wait_for(self, ready: Callable[[], bool], timeout_s: float = 60) -> None:
        """Wait until `ready()` holds; looked at whenever a call arrives, ends or is cut off."""
        async with asyncio.timeout(timeout_s), self._arrived:
            await self._arrived.wait_for(ready)

    async def wait_for_calls(self, count: int, timeout_s: float = 60) -> None:
        """Wait until at least `count` calls have arrived."""
        await self.wait_for(lambda: len(self.calls) >= count, timeout_s)

    async def _notify(self) -> None:
        async with self._arrived:
            self._arrived.notify_all()

    def _take(self, call: Call) -> Reply | None:
        for rule in self._rules:
            if rule.match(call):
                if not rule.repeat:
                    self._rules.remove(rule)
                return rule.reply
        return None

    async def _handler(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if request.path.endswith("/responses") and not (self.strict or self.serves_responses):
            return _json({"detail": "Not Found"}, status=404)
        call = Call(request.path, headers, orjson.loads(await request.read()), time.time())
        if len(self.calls) < self._keep:
            self.calls.append(call)
        self.open_calls += 1
        self.most_open_calls = max(self.most_open_calls, self.open_calls)
        await self._notify()
        try:
            response = await self._answer(request, call, self._take(call) or Reply())
        except (asyncio.CancelledError, ConnectionResetError):
            call.disconnected = True
            raise
        else:
            call.finished = True
            return response
        finally:
            self.open_calls -= 1
            await asyncio.shield(self._notify())

    async def _answer(self, request: web.Request, call: Call, reply: Reply) -> web.StreamResponse:
        if reply.gate and reply.gate_after is None:
            await reply.gate.wait()
        delay_s = self._latency_s if reply.delay_s is None else reply.delay_s
        if reply.hang:
            delay_s = 86_400
        if delay_s:
            await asyncio.sleep(delay_s)
        if (odd := self._refuse(call)) is not None or (odd := _odd_answer(call, reply)) is not None:
            return odd
        finished = self._finish(call, reply)
        if not call.body.get("stream"):
            write = (wires.anthropic_whole if call.is_anthropic
                     else responses.responses_whole if call.is_responses else wires.openai_whole)
            return _json(write(finished) | ({"choices": []} if reply.empty_choices else {}), headers=reply.headers)
        if reply.empty_choices:
            events = [wires.sse({"id": "x", "object": "chat.completion.chunk", "choices": []}), b"data: [DONE]\n\n"]
        elif call.is_anthropic:
            events = wires.anthropic_stream(finished)
        elif call.is_responses:
            events = responses.responses_stream(finished)
        else:
            options = call.body.get("stream_options") or {}
            events = wires.openai_stream(finished, bool(options.get("include_usage")))
        return await self._stream(request, reply, events)

    async def _stream(self, request: web.Request, reply: Reply, events: list[bytes]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **reply.headers})
        response.enable_chunked_encoding()
        await response.prepare(request)
        if reply.truncate:
            events = events[: len(events) // 2]
        burst = self._burst if not reply.chunk_delay_s and reply.gate_after is None else 1
        for at in range(0, len(events), burst):
            if reply.gate and reply.gate_after == at:
                await reply.gate.wait()
            await response.write(b"".join(events[at: at + burst]) if burst > 1 else events[at])
            await asyncio.sleep(reply.chunk_delay_s)
        if reply.truncate and request.transport:
            request.transport.close()
            return response
        await response.write_eof()
        return response

    def _finish(self, call: Call, reply: Reply) -> wires.Finished:
        text, tool_calls = reply.text, reply.tool_calls
        if text is None and not tool_calls:
            wanted = _wanted_tool(call)
            tool_calls = [wanted] if wanted else []
            text = None if wanted else default_text(call)
        text = text or ""
        number = len(self.calls)
        calls = [(self._call_id(number, i), name, _json_text(arguments))
                 for i, (name, arguments) in enumerate(tool_calls)]
        used = reply.usage or (len(orjson.dumps(call.messages)) // 4 + 1, len(text) // 4 + 8 * len(calls) + 1)
        call.tokens = sum(used)
        reasoning, token = self._reason(call, reply, number)
        return wires.Finished(call.model, text, calls, wires.split(text, reply.chunks or self._chunks), *used,
                              finish_reason=reply.finish_reason, with_usage=reply.with_usage, number=number,
                              reasoning=reasoning, token=token, style=self.strict.style if self.strict else reply.style,
                              is_refusal=reply.is_refusal, cached_tokens=reply.cached_tokens)

    def _call_id(self, number: int, place: int) -> str:
        usual = f"call_{number}_{place}"
        length = self.strict.id_length if self.strict else None
        return hashlib.sha256(usual.encode()).hexdigest()[:length] if length else usual

    def _reason(self, call: Call, reply: Reply, number: int) -> tuple[str, str]:
        """Return what the model thought before this answer, readable and sealed; both are known again later."""
        thinks = self.strict.is_reasoning(call.model) if self.strict else False
        if reply.reasoning is None and not thinks:
            return "", ""
        text = f"Thought {number} of {call.model}." if reply.reasoning is None else reply.reasoning
        sealed = "sig" + hashlib.sha256(f"{number} {text}".encode()).hexdigest()
        # Halves are what readers of details without an index may have kept apart.
        self.issued |= {part for part in (text, sealed, *wires.halves(text)) if part}
        return text, sealed

    def _refuse(self, call: Call) -> web.Response | None:
        """Refuse what the strict provider refuses: a wire that it does not serve, or a request against its rules."""
        if self.strict is None:
            return None
        wire = self.strict.wire_of(call.path)
        if wire is None:
            self.refused.append(f"404 {call.path}")
            return _json({"detail": "Not Found"}, status=404)
        refusal = self.strict.refuse(wire, call.body, self.issued)
        if refusal is None:
            return None
        self.refused.append(refusal.message)
        return _json(self.strict.error(refusal), status=refusal.status)

    async def _models(self, request: web.Request) -> web.Response:
        given = request.headers.get("authorization", "") + request.headers.get("x-api-key", "")
        if self.keeps_models and not given:
            return _json(wires.openai_error(401, "You didn't provide an API key", "missing_api_key"), status=401)
        if "bad-key" in given:
            return _json(wires.openai_error(401, "Incorrect API key provided", "invalid_api_key"), status=401)
        data = [{"id": name, "object": "model", "type": "model", "created": 1_700_000_000, "owned_by": "fake",
                 "display_name": name, "created_at": "2025-01-01T00:00:00Z"} for name in MODELS]
        return _json({"object": "list", "data": data, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]})

    async def _list_calls(self, _: web.Request) -> web.Response:
        return _json([call.summary() for call in self.calls])

    async def _load(self, _: web.Request) -> web.Response:
        return _json({"open": self.open_calls, "most": self.most_open_calls})

    async def _script(self, request: web.Request) -> web.Response:
        """Take `{"replies": [{...}], "match": "text", "repeat": false}`; unknown fields are refused."""
        body = orjson.loads(await request.read())
        known = {f.name for f in fields(Reply)} - {"gate", "gate_after", "body"}
        for entry in body["replies"]:
            if unknown := set(entry) - known:
                return _json({"error": f"unknown fields: {sorted(unknown)}"}, status=422)
            entry["tool_calls"] = [tuple(call) for call in entry.get("tool_calls", [])]
            self.script(Reply(**entry), match=body.get("match"), repeat=bool(body.get("repeat")))
        return _json({"rules": len(self._rules)})

    async def _reset(self, _: web.Request) -> web.Response:
        self.reset()
        return _json({})


def default_text(call: Call) -> str:
    """The answer of an unscripted call: made from the request alone, so the same request gets the same text."""
    if call.tool_results:
        return f"{call.model} used {len(call.tool_results)} tool result(s): " + " | ".join(call.tool_results)[:2000]
    return f"{call.model} answers: {call.last_user_text[:2000]}"


def _wanted_tool(call: Call) -> tuple[str, Any] | None:
    found = USE_TOOL.search(call.last_user_text)
    if not found or call.tool_results or found[1].rstrip(".") not in call.tools:
        return None
    rest = found[2].lstrip()
    if not rest.startswith("{"):
        return found[1].rstrip("."), {}
    for end in (i + 1 for i, ch in enumerate(rest) if ch == "}"):
        try:
            return found[1], orjson.loads(rest[:end])
        except orjson.JSONDecodeError:
            continue
    return found[1], rest


def _odd_answer(call: Call, reply: Reply) -> web.Response | None:
    if reply.html:
        return web.Response(status=reply.status, body=HTML, content_type="text/html", headers=reply.headers)
    if reply.body is not None:
        return web.Response(status=reply.status, body=reply.body, content_type=reply.content_type,
                            headers=reply.headers)
    if reply.status != 200:
        error = (wires.anthropic_error(reply.status, reply.message) if call.is_anthropic
                 else wires.openai_error(reply.status, reply.message, reply.code))
        return _json(error, status=reply.status, headers=reply.headers)
    return None


def _json_text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _json(data: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(data), content_type="application/json", headers=headers)


async def serve(port: int, latency_ms: float, chunks: int, burst: int, as_strict_as: str | None) -> None:
    """Run until the process is ended; prints the address once it listens."""
    server = ModelServer(port=port, latency_s=latency_ms / 1000, chunks=chunks, burst=burst, keep_calls=1_000_000,
                         strict=strict(as_strict_as) if as_strict_as else None)
    await server.start()
    print(server.base_url, flush=True)
    await asyncio.Event().wait()


def main(run: Callable[[Awaitable[None]], None]) -> None:
    parser = argparse.ArgumentParser(description="A scripted model server for benchmarks and chaos tests")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="before the first byte of every answer")
    parser.add_argument("--chunks", type=int, default=62, help="pieces of a streamed text")
    parser.add_argument("--burst", type=int, default=1, help="pieces per write")
    parser.add_argument("--strict", choices=sorted(PROVIDERS), help="refuse what this provider refuses")
    args = parser.parse_args()
    run(serve(args.port, args.latency_ms, args.chunks, args.burst, args.strict))


if __name__ == "__main__":
    import uvloop

    main(uvloop.run)
