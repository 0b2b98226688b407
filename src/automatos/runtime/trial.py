"""Trying an agent out before it is saved: one answer to a conversation, streamed; only what it cost is stored."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any
from uuid import UUID

import orjson
import structlog

from automatos.kernel.errors import Problem
from automatos.llm.errors import PromptTooLong
from automatos.llm.service import ModelClient, prompt_size
from automatos.llm.types import CallContext, Completion, Message
from automatos.runtime import schemas
from automatos.runtime.runtime import AgentRuntime, join, text_of
from automatos.runtime.transcript import storable

log = structlog.get_logger("automatos.runtime")
DEADLINE_S = 60.0
RETRIES = 1
SILENCE_S = 10.0

Pieces = asyncio.Queue[str | None]
"""Pieces of an answer as they come; None after the last."""


async def try_agent(
    models: ModelClient, workspace_id: UUID, runtime: AgentRuntime, messages: Sequence[schemas.TryMessage]
) -> AsyncGenerator[str]:
    """Yield an answer as server-sent events: `delta` for each piece, then `done` or `failed`.

    No tools are offered. The call to the model is cancelled when the reader goes away.
    """
    said = [Message(one.role, one.content) for one in messages]
    window, size = await models.window(await runtime.model()), await runtime.size() + prompt_size(said)
    if size > window.chars:
        yield _frame("failed", _document(PromptTooLong(window, size)))
        return
    said.insert(0, Message("system", f"{join(await runtime.parts())}\n\n{text_of('trial')}"))
    pieces: Pieces = asyncio.Queue()
    context = CallContext(
        workspace_id, request_type="test", environment=runtime.agent.settings.environment)
    call = asyncio.create_task(models.complete(
        await runtime.model(), said, (), context,
        on_delta=pieces.put_nowait, deadline_s=DEADLINE_S, retries=RETRIES,
    ))
    call.add_done_callback(lambda _: pieces.put_nowait(None))
    try:
        yield ": asking\n\n"
        async for text in gathered(pieces):
            yield _frame("delta", schemas.TryDelta(text=storable(text)).model_dump()) if text else ": still here\n\n"
        yield await _ending(call)
    finally:
        call.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await call


async def gathered(pieces: Pieces, silence_s: float = SILENCE_S) -> AsyncGenerator[str]:
    """Yield what has come, several pieces at once when they wait; nothing, as empty text, after a long silence."""
    while True:
        try:
            async with asyncio.timeout(silence_s):
                waiting = [await pieces.get()]
        except TimeoutError:
            yield ""
            continue
        while not pieces.empty():
            waiting.append(pieces.get_nowait())
        if text := "".join(piece for piece in waiting if piece):
            yield text
        if None in waiting:
            return


async def _ending(call: asyncio.Task[Completion]) -> str:
    try:
        answer = await call
    except Problem as problem:
        return _frame("failed", _document(problem))
    except Exception:
        log.exception("runs.trial_failed")
        return _frame("failed", _document(Problem("The trial failed on the server. Try again; the log says why.")))
    done = schemas.TryDone(
        text=storable(answer.text), provider=answer.provider, model_id=answer.model_id,
        input_tokens=answer.usage.input_tokens, output_tokens=answer.usage.output_tokens,
        cost_usd=answer.cost_micro_usd, latency_ms=answer.latency_ms,
    )
    return _frame("done", done.model_dump(mode="json"))


def _document(problem: Problem) -> dict[str, Any]:
    """Return a problem as the body of an error answer would hold it."""
    return {**problem.extra, "type": f"urn:automatos:problem:{problem.code}", "title": problem.title,
            "status": problem.status, "detail": problem.detail, "code": problem.code}


def _frame(event: str, data: dict[str, Any]) -> str:
    return f"event: {event}\ndata: {orjson.dumps(data, default=str).decode()}\n\n"
