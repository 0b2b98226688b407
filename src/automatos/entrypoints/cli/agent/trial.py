"""An answer of an agent that is not saved, as it is written."""

import json
import sys
from http.client import HTTPResponse
from typing import Any

from automatos.entrypoints.cli.client import UNREACHABLE, Client, NoServer, Refused, refusal
from automatos.entrypoints.cli.console import CommandFailed, Exit, put, put_json, say
from automatos.entrypoints.cli.figures import cost, duration
from automatos.entrypoints.cli.follow import read_frames

READ_TIMEOUT_S = 90.0


def try_out(client: Client, order: dict[str, Any], *, as_json: bool) -> int:
    """Write the answer piece by piece, then what it took; with `as_json` one event a line.

    Raises:
        Refused: the model cannot be asked or did not answer; says why.
    """
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    try:
        response = client.open("POST", "/api/agents/try", json.dumps(order).encode(), headers, READ_TIMEOUT_S)
        if response.status != 200:
            raise refusal(response.status, _body(response))
        return _read(response, as_json=as_json)
    except UNREACHABLE as error:
        raise NoServer(client.url) from error


def _read(response: HTTPResponse, *, as_json: bool) -> int:
    for event, raw in read_frames(response):
        data = json.loads(raw)
        if as_json:
            put_json({"event": event, **data})
        if event == "failed":
            if not as_json:
                put("")
            raise Refused(data.get("status", 500), data)
        if event == "done":
            _end(data, as_json=as_json)
            return Exit.OK
        if not as_json:
            sys.stdout.write(data["text"])
            sys.stdout.flush()
    raise CommandFailed("the connection ended before the answer did", "try again")


def _end(data: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        return
    put("")
    tokens = data["input_tokens"] + data["output_tokens"]
    say(f"ok {data['provider']}/{data['model_id']} answered in {duration(data['latency_ms'])}, {tokens:,} tokens, "
        f"{cost(data['cost_usd'])}")


def _body(response: HTTPResponse) -> Any:
    raw = response.read()
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")
