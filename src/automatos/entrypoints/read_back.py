"""What a GET gave, a PUT takes: fields that can only be read are left out when they are as they were, else refused.

One place for every resource, made from the description of the API. A PUT that its route takes costs nothing more: only
one that was refused as invalid is looked at again, beside what a GET of the same address gives the same caller.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from automatos.entrypoints.problems import render
from automatos.kernel.errors import Problem

REFUSED: Final = 422
OF_THE_BODY: Final = frozenset({b"content-length", b"content-type", b"transfer-encoding", b"if-match"})
Json = Any


class ReadOnlyField(Problem):
    """A field that only the server sets was given another value."""

    status = 422
    code = "read_only_field"
    title = "The field can only be read"

    def __init__(self, paths: Sequence[str]) -> None:
        more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
        super().__init__(
            f"{paths[0]}: can only be read, and is not what the server holds now{more}. Load it again or leave it out.",
            errors=[{"field": path, "in": "body", "reason": "can only be read"} for path in paths[:20]])


@dataclass
class Comparison:
    """One pass over a body beside what is stored: `changed` names the read-only fields that differ."""

    schemas: Mapping[str, Json]
    changed: list[str] = field(default_factory=list[str])

    def writable_part(self, given: Json, stored: Json, schema: Json, path: str = "") -> Json:
        """Return what of a value is to be written; in lists, items may have moved."""
        schema = self._resolved(schema)
        if isinstance(given, dict) and isinstance(stored, dict) and "properties" in schema:
            return self._object(cast("dict[str, Json]", given), cast("dict[str, Json]", stored), schema, path)
        if isinstance(given, list) and isinstance(stored, list) and "items" in schema:
            before = cast("list[Json]", stored)
            return [self._item(one, before, schema["items"], f"{path}{place}.")
                    for place, one in enumerate(cast("list[Json]", given))]
        return given

    def _object(self, given: dict[str, Json], stored: dict[str, Json], schema: Json, path: str) -> dict[str, Json]:
        properties, part = schema["properties"], dict[str, Json]()
        for name, value in given.items():
            if name in properties:
                if not (value == stored.get(name) and self._cannot_be_written(value, properties[name])):
                    part[name] = self.writable_part(value, stored.get(name), properties[name], f"{path}{name}.")
            elif name not in stored:
                part[name] = value
            elif value != stored[name]:
                self.changed.append(f"{path}{name}")
        return part

    def _item(self, given: Json, stored: list[Json], schema: Json, path: str) -> Json:
        """Compare an item with all stored ones: one that was moved, or given another neighbour, is what it was."""
        if not isinstance(given, dict):
            return given
        item = cast("dict[str, Json]", given)
        known = [cast("dict[str, Json]", one) for one in stored if isinstance(one, dict)]
        nearest = {name: value for name, value in item.items() if any(one.get(name) == value for one in known)}
        beside = {**{name: value for one in known for name, value in one.items()}, **nearest}
        return self.writable_part(item, beside, schema, path)

    def _cannot_be_written(self, value: Json, schema: Json) -> bool:
        """Say whether a value was shown without what writing it would need, such as files without their content."""
        schema = self._resolved(schema)
        if isinstance(value, list) and "items" in schema:
            return any(self._cannot_be_written(one, schema["items"]) for one in cast("list[Json]", value))
        return isinstance(value, dict) and not set(schema.get("required", ())) <= set(cast("dict[str, Json]", value))

    def _resolved(self, schema: Json) -> Json:
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rsplit("/", 1)[1]]
        for one in schema.get("anyOf", ()):
            resolved = self._resolved(one)
            if "properties" in resolved or "items" in resolved:
                return resolved
        return schema


class ReadBack:
    """Lets a PUT carry the whole of what a GET of its address gave."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._bodies: list[tuple[re.Pattern[str], Json]] | None = None
        self._schemas: Mapping[str, Json] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; a refusal is kept back until it is known that it stands."""
        if scope["type"] != "http" or scope["method"] != "PUT":
            await self.app(scope, receive, send)
            return
        untouched = dict(scope)  # routing writes into the scope
        chunks: list[bytes] = []
        refusal: list[Message] = []

        async def receive_kept() -> Message:
            message = await receive()
            chunks.append(message.get("body", b""))
            return message

        async def send_unless_refused(message: Message) -> None:
            is_refusal = message["type"] == "http.response.start" and message["status"] == REFUSED
            if is_refusal or refusal:
                refusal.append(message)
            else:
                await send(message)

        await self.app(scope, receive_kept, send_unless_refused)
        if not refusal:
            return
        found = await self._writable(untouched, b"".join(chunks))
        if isinstance(found, Problem):
            await render(scope, found)(scope, receive, send)
        elif found is not None:
            await self.app(_with_body(untouched, found), _read_from(found), send)
        else:
            for message in refusal:
                await send(message)

    async def _writable(self, scope: Scope, body: bytes) -> bytes | Problem | None:
        """Return the body without what can only be read; None where that changes nothing."""
        schema = self._schema_of(scope)
        try:
            given = orjson.loads(body)
        except orjson.JSONDecodeError:
            return None
        if schema is None or not isinstance(given, dict):
            return None
        stored = await self._stored(scope)
        if stored is None:
            return None
        comparison = Comparison(self._schemas)
        part = comparison.writable_part(given, stored, schema)
        if comparison.changed:
            return ReadOnlyField(comparison.changed)
        return None if part == given else orjson.dumps(part)

    def _schema_of(self, scope: Scope) -> Json | None:
        if self._bodies is None:
            document = scope["app"].openapi()
            self._schemas = document["components"]["schemas"]
            self._bodies = [
                (re.compile(re.sub(r"\\\{[^}]*\}", "[^/]+", re.escape(path))), body)
                for path, verbs in document["paths"].items() if "get" in verbs and (body := _body_of(verbs.get("put")))]
        return next((body for pattern, body in self._bodies if pattern.fullmatch(scope["path"])), None)

    async def _stored(self, scope: Scope) -> dict[str, Json] | None:
        """Return what the caller would be given at this address, an object; None where that is nothing."""
        headers = [(name, value) for name, value in scope["headers"] if name not in OF_THE_BODY]
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self.app({**scope, "method": "GET", "headers": headers}, _read_from(b""), keep)
        if not answer or answer[0].get("status") != 200:
            return None
        try:
            found = orjson.loads(b"".join(message.get("body", b"") for message in answer))
        except orjson.JSONDecodeError:
            return None
        return cast("dict[str, Json]", found) if isinstance(found, dict) else None


def _body_of(verb: Json | None) -> Json | None:
    content = (verb or {}).get("requestBody", {}).get("content", {})
    return content.get("application/json", {}).get("schema")


def _with_body(scope: Scope, body: bytes) -> Scope:
    headers = [pair for pair in scope["headers"] if pair[0] not in (b"content-length", b"transfer-encoding")]
    return {**scope, "headers": [*headers, (b"content-length", str(len(body)).encode())]}


def _read_from(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
