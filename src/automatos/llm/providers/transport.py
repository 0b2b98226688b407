"""One exchange with a model API over HTTP: send, classify refusals, pump the stream into a reader."""

import asyncio
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import aiohttp
import orjson

from automatos.kernel.clock import now
from automatos.kernel.http import AddressRefused
from automatos.llm.errors import (
    ModelAnswerInvalid,
    ModelAnswerTooLong,
    ModelProblem,
    ModelRefused,
    ModelUnavailable,
)
from automatos.llm.providers import OnText, ProviderCall
from automatos.llm.providers.refusals import classify, describe_error
from automatos.llm.providers.sse import EventReader, EventTooLong
from automatos.llm.types import Answer

MAX_ANSWER_CHARS = 4 * 1024 * 1024
MAX_STREAM_BYTES = 128 * 1024 * 1024
MAX_DOCUMENT_BYTES = 8 * 1024 * 1024
MAX_ERROR_BYTES = 16 * 1024
DRAIN_S = 0.25
MALFORMED = (orjson.JSONDecodeError, EventTooLong, KeyError, TypeError, AttributeError, IndexError)
"""What reading a document of another shape raises."""
CUT_OFF = "The answer was cut off before its end, so it was not kept."


class AnswerReader(Protocol):
    """Builds one answer from the events of a wire."""

    size: int
    is_done: bool

    def take(self, data: bytes) -> str:
        """Read one event and return the text it adds."""
        ...

    def take_whole(self, document: dict[str, Any]) -> str:
        """Read an answer that came in one piece and return its text."""
        ...

    def finish(self) -> Answer:
        """Return the answer; raises ModelAnswerInvalid when it is not complete."""
        ...


async def exchange(call: ProviderCall, path: str, headers: dict[str, str], body: dict[str, Any], *,
                   reader: AnswerReader, on_text: OnText) -> Answer:
    """Send one request and return the answer that `reader` builds from it; the socket closes on any error."""
    headers["Content-Type"] = "application/json"
    if call.idempotency_key:
        headers["Idempotency-Key"] = call.idempotency_key
    name = call.provider.display_name
    try:
        async with call.session.post(call.base_url + path, data=orjson.dumps(body), headers=headers,
                                     allow_redirects=False) as response:
            try:
                await _read(call, response, reader, on_text)
            except BaseException:
                response.close()
                raise
    except aiohttp.InvalidURL as error:
        raise call.fault(ModelRefused, f"The base URL of {name} is not valid.",
                         next_step="Correct the base URL of the credential.") from error
    except aiohttp.ClientPayloadError as error:
        raise call.fault(ModelAnswerInvalid, CUT_OFF) from error
    except aiohttp.ClientConnectorError as error:
        raise _unreachable(call, error) from error
    except (aiohttp.ClientError, OSError) as error:
        raise call.fault(ModelUnavailable, f"The connection to {name} broke ({type(error).__name__}).") from error
    return reader.finish()


def _unreachable(call: ProviderCall, error: aiohttp.ClientConnectorError) -> ModelProblem:
    name = call.provider.display_name
    if isinstance(error.os_error, AddressRefused):
        return call.fault(ModelRefused, f"The base URL of {name} leads to a private address.",
                          next_step="Use a public address, or set AUTOMATOS_ALLOW_PRIVATE_URLS=true on the server.")
    reason = error.os_error.strerror or type(error.os_error).__name__
    return call.fault(ModelUnavailable, f"{name} cannot be reached at {error.host}:{error.port} ({reason}).")


async def _read(call: ProviderCall, response: aiohttp.ClientResponse, reader: AnswerReader, on_text: OnText) -> None:
    if response.status != 200:
        raise await _refusal(call, response)
    kind = response.content_type
    if kind == "text/event-stream":
        await _pump(call, response.content, reader, on_text)
    elif kind.endswith("json"):
        await _take_whole(call, response.content, reader, on_text)
    else:
        raise call.fault(ModelAnswerInvalid, f"{call.provider.display_name} answered with "
                                             f"{kind or 'no content type'} instead of a model answer.")


async def _take_whole(call: ProviderCall, content: aiohttp.StreamReader, reader: AnswerReader, on_text: OnText) -> None:
    body = await _bounded(call, content, MAX_DOCUMENT_BYTES)
    try:
        document = orjson.loads(body)
        if document.get("error"):
            raise classify(call, None, document)
        text = reader.take_whole(document)
    except MALFORMED as error:
        raise _malformed(call) from error
    if text:
        on_text(text)


async def _pump(call: ProviderCall, content: aiohttp.StreamReader, reader: AnswerReader, on_text: OnText) -> None:
    events = EventReader()
    received = 0
    while not reader.is_done:
        chunk = await content.readany()
        received += len(chunk)
        try:
            fresh = "".join([reader.take(data) for data in (events.feed(chunk) if chunk else events.close())])
        except MALFORMED as error:
            raise _malformed(call) from error
        if fresh:
            on_text(fresh)
        if reader.size > MAX_ANSWER_CHARS or received > MAX_STREAM_BYTES:
            raise _too_long(call)
        if not chunk:
            return
    await _drain(content)


def _malformed(call: ProviderCall) -> ModelAnswerInvalid:
    return call.fault(ModelAnswerInvalid, f"{call.provider.display_name} sent something that is not a model answer.")


async def _drain(content: aiohttp.StreamReader) -> None:
    """Read the end of a finished stream, so that the connection can be used again; give up soon."""
    if content.at_eof():
        return
    try:
        async with asyncio.timeout(DRAIN_S):
            while await content.readany():
                pass
    except TimeoutError:
        return


def _too_long(call: ProviderCall) -> ModelAnswerTooLong:
    return call.fault(ModelAnswerTooLong,
                      f"The answer grew beyond {MAX_ANSWER_CHARS // 1024 // 1024} MB and was stopped.")


async def _bounded(call: ProviderCall, content: aiohttp.StreamReader, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while chunk := await content.readany():
        size += len(chunk)
        if size > limit:
            raise _too_long(call)
        parts.append(chunk)
    return b"".join(parts)


async def _refusal(call: ProviderCall, response: aiohttp.ClientResponse) -> ModelProblem:
    head = await response.content.read(MAX_ERROR_BYTES)
    return classify(call, response.status, describe_error(head, response.content_type),
                    retry_after_s=retry_after_s(response.headers.get("Retry-After")))


def retry_after_s(value: str | None) -> float | None:
    """Read a Retry-After header, seconds or an HTTP date; None when there is none or it is not readable."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now()).total_seconds())
