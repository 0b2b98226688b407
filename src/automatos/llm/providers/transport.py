"""One exchange with a model API over HTTP: send, classify refusals, pump the answer into a reader.

The body decides what an answer is; its label is looked at only where the body could be either.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp
import orjson
from aiohttp.abc import AbstractStreamWriter

from automatos.kernel.error_bodies import ProviderError, error_of, is_error, read_error, read_json
from automatos.kernel.http import AddressRefused
from automatos.kernel.pauses import pause_in_headers
from automatos.llm.errors import (
    AddressWrong,
    ModelAnswerInvalid,
    ModelAnswerTooLong,
    ModelProblem,
    ModelRefused,
    ModelUnavailable,
    scrub,
)
from automatos.llm.providers import OnText, ProviderCall
from automatos.llm.providers.features import without
from automatos.llm.providers.refusals import classify
from automatos.llm.providers.sse import DONE, EventReader, EventTooLong, ServerEvent
from automatos.llm.types import Answer, Usage

MAX_ANSWER_CHARS = 4 * 1024 * 1024
MAX_STREAM_BYTES = 128 * 1024 * 1024
MAX_DOCUMENT_BYTES = 8 * 1024 * 1024
MAX_ERROR_BYTES = 16 * 1024
PIECE_BYTES = 2 * 1024
MAX_PARTS = 20_000
"""So many objects and lists one event or document holds at most: each is looked at while nobody else has a turn."""
DRAIN_S = 0.25
MALFORMED = (orjson.JSONDecodeError, EventTooLong, KeyError, TypeError, AttributeError, IndexError, ValueError)
"""What reading a document of another shape raises."""
CUT_OFF = "The answer was cut off before its end, so it was not kept."
IDLE = frozenset({b"ping", b"keepalive", b"keep-alive", b"heartbeat", b"hb", b"null", b":"})
"""Data, or names of events, by which servers only say that they are still there."""
STREAM_STARTS = (b"data:", b"event:", b"id:", b"retry:", b":")
OPEN_STARTS = (b"{", b"[", b"<", b":")


class AnswerReader(Protocol):
    """Builds one answer from the events of a wire."""

    size: int
    is_done: bool

    @property
    def usage(self) -> Usage | None:
        """What the provider told so far of the tokens."""
        ...

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
                   open_reader: Callable[[], AnswerReader], on_text: OnText) -> Answer:
    """Send one request and return the answer that a reader builds from it; the socket closes on any error."""
    headers["Content-Type"] = "application/json"
    if call.idempotency_key:
        headers["Idempotency-Key"] = call.idempotency_key
    progress = call.progress
    progress.url, progress.body = call.base_url + path, without(body, call.refused) if call.refused else body
    payload = _Payload(orjson.dumps(progress.body), call)
    name = call.provider.display_name
    reader: AnswerReader | None = None
    try:
        async with call.session.post(progress.url, data=payload, headers=headers, allow_redirects=False) as response:
            progress.status, reader = response.status, open_reader()
            try:
                await _read(call, response, reader, on_text)
            except BaseException:
                response.close()
                raise
        try:
            answer = reader.finish()
        except MALFORMED as error:
            raise _malformed(call) from error
        return answer if answer.text.isascii() else replace(answer, text=whole_characters(answer.text))
    except aiohttp.InvalidURL as error:
        progress.sent_bytes = 0
        raise call.fault(AddressWrong, f"The base URL of {name} is not valid.",
                         next_step="Correct the base URL of the credential.") from error
    except aiohttp.ClientPayloadError as error:
        raise call.fault(ModelAnswerInvalid, CUT_OFF) from error
    except aiohttp.ClientConnectorError as error:
        progress.sent_bytes = 0
        raise _unreachable(call, error) from error
    except aiohttp.ClientResponseError as error:
        said = ProviderError(error.message)
        raise _faulty(call, f"{name} answered with what this server cannot read as HTTP.", said) from error
    except (aiohttp.ClientError, OSError) as error:
        raise call.fault(ModelUnavailable, f"The connection to {name} broke ({type(error).__name__}).") from error
    finally:
        if reader:
            progress.usage, progress.received_chars = reader.usage, reader.size


class _Payload(aiohttp.BytesPayload):
    """A request's body, held back until its sender may still ask: without it nobody has been asked anything.

    Between a decision to ask and the last byte a process may stand still for long, in a connection that is made anew
    or in the queue of the event loop.
    """

    def __init__(self, value: bytes, call: ProviderCall) -> None:
        super().__init__(value, content_type="application/json")
        self._call = call

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write the body once it may leave, and count it as sent."""
        transport: asyncio.Transport | None = getattr(writer, "transport", None)
        if transport:
            transport.set_write_buffer_limits(high=0)  # else the event loop sends at the end of its turn
        if self._call.before_sending:
            await self._call.before_sending()
        self._call.progress.sent_bytes = self.size or 0
        await super().write_with_length(writer, content_length)


def _unreachable(call: ProviderCall, error: aiohttp.ClientConnectorError) -> ModelProblem:
    name = call.provider.display_name
    if isinstance(error.os_error, AddressRefused):
        return call.fault(ModelRefused, f"The base URL of {name} leads to a private address.",
                          next_step="Use a public address, or have the operator list this one in "
                                    "AUTOMATOS_PRIVATE_PROVIDERS.")
    reason = error.os_error.strerror or type(error.os_error).__name__
    return call.fault(ModelUnavailable, f"{name} cannot be reached at {error.host}:{error.port} ({reason}).")


async def _read(call: ProviderCall, response: aiohttp.ClientResponse, reader: AnswerReader, on_text: OnText) -> None:
    if not 200 <= response.status < 300:
        raise await _refusal(call, response)
    head = await _first_bytes(response.content)
    begins = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if begins.startswith(b"<"):
        raise _other(call, read_error(head + await response.content.read(MAX_ERROR_BYTES)))
    if begins[:1] in {b"{", b"["}:
        await _take_whole(call, head, response.content, reader, on_text)
    elif begins.startswith(STREAM_STARTS) or response.content_type == "text/event-stream":
        await _pump(call, head, response.content, reader, on_text)
    else:
        raise _other(call, read_error(begins + await response.content.read(MAX_ERROR_BYTES)))


async def _first_bytes(content: aiohttp.StreamReader) -> bytes:
    """Return enough of a body to see what it is, without waiting for more than that."""
    head = b""
    while chunk := await content.readany():
        head += chunk
        begins = head.lstrip(b"\xef\xbb\xbf \t\r\n")
        if begins.startswith(OPEN_STARTS) or len(begins) >= len(b"event:") or len(head) > MAX_ERROR_BYTES:
            break
    return head


async def _take_whole(call: ProviderCall, head: bytes, content: aiohttp.StreamReader, reader: AnswerReader,
                      on_text: OnText) -> None:
    body = head + await _bounded(call, content, MAX_DOCUMENT_BYTES - len(head))
    try:
        document = read_json(body)
    except orjson.JSONDecodeError as error:
        if b"\n" in body.strip():
            await _take_lines(call, body, reader, on_text)
            return
        raise _malformed(call, read_error(body)) from error
    if is_error(document):
        raise classify(call, None, error_of(document))
    try:
        _refuse_crumbs(body)
        text = reader.take_whole(document)
    except MALFORMED as error:
        raise _malformed(call, error_of(document)) from error
    if text:
        on_text(whole_characters(text))


async def _take_lines(call: ProviderCall, body: bytes, reader: AnswerReader, on_text: OnText) -> None:
    """Read a stream that came as one document a line."""
    stream = _Stream(call, reader, on_text)
    await stream.take(body)
    stream.end()


async def _pump(call: ProviderCall, head: bytes, content: aiohttp.StreamReader, reader: AnswerReader,
                on_text: OnText) -> None:
    stream, chunk = _Stream(call, reader, on_text), head
    while chunk:
        await stream.take(chunk)
        if reader.is_done:
            await _drain(content)
            return
        chunk = await content.readany()
    stream.end()


class _Stream:
    """A stream of events while it is read, a little at a time, so that others have their turn in between."""

    def __init__(self, call: ProviderCall, reader: AnswerReader, on_text: OnText) -> None:
        self._call = call
        self._reader = reader
        self._on_text = on_text
        self._events = EventReader()
        self._received = 0
        self._held = ""

    async def take(self, chunk: bytes) -> None:
        """Read what has come; after each piece of much others have their turn."""
        start = 0
        while start < len(chunk):
            if start:
                await asyncio.sleep(0)
            end = start + PIECE_BYTES
            if end < len(chunk) and (edge := chunk.rfind(b"\n\n", start, end)) >= 0:
                end = edge + 2  # whole events where there are any
            self._tell(self._events.feed, chunk[start:end])
            if self._reader.size > MAX_ANSWER_CHARS or self._received > MAX_STREAM_BYTES:
                raise _too_long(self._call)
            if self._reader.is_done:
                return
            start = end

    def end(self) -> None:
        """Read what an event held that nothing closed."""
        self._tell(lambda _: self._events.close(), b"")

    def _tell(self, read: Callable[[bytes], list[ServerEvent]], piece: bytes) -> None:
        self._received += len(piece)
        try:
            found = read(piece)
        except EventTooLong as error:
            raise _malformed(self._call) from error
        fresh = self._held + "".join([self._text_of(data, name) for data, name in found])
        if fresh:
            fresh, self._held = _without_half(fresh) if piece else (whole_characters(fresh), "")
            self._on_text(fresh)

    def _text_of(self, data: bytes, name: bytes) -> str:
        """Return the text that an event adds; the usual ones, of which there are hundreds a call, by the short way."""
        reader = self._reader
        if reader.is_done:
            return ""
        try:
            if not name and b'"choices"' in data and b'"error"' not in data and len(data) < MAX_PARTS:
                return reader.take(data)
            return _read_event(self._call, reader, data, name)
        except MALFORMED as error:
            raise _malformed(self._call, _words_of(data)) from error


def _read_event(call: ProviderCall, reader: AnswerReader, data: bytes, name: bytes) -> str:
    """Return the text of any event; what says nothing is skipped, what says that something went wrong is raised."""
    if data[:1] == b"[" and data.upper() == DONE:
        data = DONE  # some write it small
    if (name == b"error" or b'"error"' in data
            or not (b'"choices"' in data or b'"type"' in data or data == DONE)):
        if (said := _error_in(data, name)) is not None:
            raise classify(call, None, said)
        if data[:1] != b"{" and data != DONE:
            if data.lower() in IDLE or (name and name != b"message"):
                return ""
            raise _malformed(call, read_error(data))
    if len(data) >= MAX_PARTS:
        _refuse_crumbs(data)
    return reader.take(data)


def _refuse_crumbs(data: bytes) -> None:
    """Raise ValueError for JSON of more parts than are looked at; only what has as many brackets is read for it."""
    if len(data) < MAX_PARTS or data.count(b"{") + data.count(b"[") <= MAX_PARTS:
        return
    waiting, count = [read_json(data)], 0
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict | list):
            count += 1
            waiting += part.values() if isinstance(part, dict) else part
            if count > MAX_PARTS:
                raise ValueError(f"more than {MAX_PARTS} parts")


def _error_in(data: bytes, name: bytes) -> ProviderError | None:
    """Return the error that an event holds, None when it holds none."""
    try:
        document = read_json(data)
    except orjson.JSONDecodeError:
        return read_error(data) if name == b"error" else None
    if name == b"error" or is_error(document):
        return error_of(document)
    return None


def _words_of(data: bytes) -> ProviderError:
    """Return what there is to tell of an event that is no part of an answer: text only, never a piece of JSON."""
    return ProviderError() if data[:1] in {b"{", b"["} else read_error(data)


def _without_half(text: str) -> tuple[str, str]:
    """Return text with whole characters, and the half of one at its end that the next piece completes."""
    if text.isascii():
        return text, ""
    held = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
    return whole_characters(text[: len(text) - len(held)]), held


def whole_characters(text: str) -> str:
    """Return text whose halves of characters are put together; a half alone becomes a replacement character."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _other(call: ProviderCall, said: ProviderError) -> ModelAnswerInvalid:
    """Build the error for an answer that is a web page, a text or nothing."""
    what = "a web page" if said.is_page else "text" if said.message else "nothing"
    return _faulty(call, f"{call.provider.display_name} answered at {call.progress.url} with {what} instead of a model "
                         "answer.", said)


def _malformed(call: ProviderCall, said: ProviderError | None = None) -> ModelAnswerInvalid:
    return _faulty(call, f"{call.provider.display_name} sent something that is not a model answer.", said)


def _faulty(call: ProviderCall, what: str, said: ProviderError | None) -> ModelAnswerInvalid:
    return ModelAnswerInvalid(what, provider=call.provider.name, model_id=call.choice.model_id,
                              provider_message=scrub(said.message, call.api_key) if said else "")


async def _drain(content: aiohttp.StreamReader) -> None:
    """Read the end of a finished stream, so that the connection can be used again; give up soon."""
    if content.at_eof():
        return
    try:
        async with asyncio.timeout(DRAIN_S):
            while await content.readany():
                pass
    except (TimeoutError, aiohttp.ClientError, OSError):
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
    if 300 <= response.status < 400:
        return _redirected(call, response)
    head = b""
    while len(head) < MAX_ERROR_BYTES and (chunk := await response.content.read(MAX_ERROR_BYTES - len(head))):
        head += chunk
    return classify(call, response.status, read_error(head),
                    retry_after_s=pause_in_headers(response.headers))


def _redirected(call: ProviderCall, response: aiohttp.ClientResponse) -> AddressWrong:
    """Tell where a redirect leads; it is not followed, because the key and the prompt would go along."""
    parts = urlsplit(response.headers.get("Location", "")[:500])
    where = f" to {scrub(f'{parts.scheme}://{parts.netloc}{parts.path}', call.api_key)}" if parts.netloc else ""
    return AddressWrong(
        f"{call.provider.display_name} was asked at {call.progress.url} and answered with a redirect{where} "
        f"({response.status}), which is not followed.", provider=call.provider.name, model_id=call.choice.model_id,
        provider_status=response.status,
        next_step="Enter the address it leads to as the base URL of the credential, if it is the provider's own.")
