"""An answer of an agent that is not saved, as it is written."""

import json
import sys
from collections.abc import Iterable
from typing import Any

from automatos.cli.client import Client, Refused
from automatos.cli.console import CommandFailed, Exit, put, put_json, say
from automatos.cli.figures import cost
from automatos.client import Call, Frame
from automatos.kernel.figures import duration

READ_TIMEOUT_S = 90.0


def try_out(client: Client, order: dict[str, Any], *, as_json: bool) -> int:
    """Write the answer piece by piece, then what it took; with `as_json` one event a line.

    Raises:
        Refused: the model cannot be asked or did not answer; says why.
    """
    call = Call(method="POST", path="/api/agents/try", body=order, headers={"Accept": "text/event-stream"})
    with client.as_failures():
        return _read(client.official.stream(call, silence_s=READ_TIMEOUT_S), as_json=as_json)


def _read(frames: Iterable[Frame], *, as_json: bool) -> int:
    for frame in frames:
        event, data = frame.event, json.loads(frame.data)
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
