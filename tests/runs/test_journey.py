"""How many source files the code runs through from a job in a worker's hands to the model's socket."""

import asyncio
import sys
from contextvars import ContextVar
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

import automatos
from automatos.durable.types import HeldJob
from automatos.durable.worker import Worker
from automatos.recipes.begin import RunsHere
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make

SOURCE = str(Path(automatos.__file__).parent)
MOST_FILES = {"begun": 14, "begun, with tools": 16, "given out": 22, "given out, of a graph": 22}
"""These may only sink. What runs again and again in a warm process counts; what is read once and kept does not."""
RUNS = 4
in_job: ContextVar[bool] = ContextVar("in_job", default=False)


class Journey:
    """Notes the files of the functions that run on behalf of jobs, tasks that they make included."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.is_on = False

    def note(self, frame: FrameType, event: str, argument: object) -> None:
        del argument
        code: CodeType = frame.f_code
        if event == "call" and self.is_on and code.co_filename.startswith(SOURCE) and in_job.get():
            self.files.add(code.co_filename.removeprefix(SOURCE + "/"))


@pytest.fixture
def journey(monkeypatch: pytest.MonkeyPatch) -> Journey:
    """Begins when a worker has a job; the test says when it is over."""
    journey, work = Journey(), Worker._work

    async def note_work(worker: Worker, job: HeldJob, before: HeldJob | None) -> None:
        if journey.is_on and job.name.startswith("runs."):
            in_job.set(True)
        await work(worker, job, before)

    monkeypatch.setattr(Worker, "_work", note_work)
    return journey


@pytest.mark.parametrize("way", MOST_FILES)
async def test_from_a_job_to_the_models_socket_the_code_runs_through_so_many_files(
    client: Client, make: Make, model_server: ModelServer, journey: Journey, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    async def refuse(_: RunsHere, new: Any) -> None:
        del new

    if way.startswith("given out"):
        monkeypatch.setattr(RunsHere, "prepare", refuse)
    agent = await make.agent(tools=["calculator"] if way == "begun, with tools" else [])
    steps = [{"agent_id": agent["id"], "prompt_template": "Say hello"}]
    if way == "given out, of a graph":
        steps.append(steps[0] | {"needs": ["s1"]})
    recipe = await make.recipe(*steps)
    await client.cooked(recipe["template_id"])  # the process is warm
    journeys = [await travelled(client, model_server, journey, recipe["template_id"]) for _ in range(RUNS)]

    fewest = min(journeys, key=len)  # now and then something that is kept is read again
    print(f"{way}: {len(fewest)} files", *sorted(fewest), sep="\n  ")
    assert "llm/providers/transport.py" in fewest
    assert len(fewest) <= MOST_FILES[way], sorted(fewest)


async def travelled(client: Client, model_server: ModelServer, journey: Journey, template_id: str) -> set[str]:
    """Start a run, and return the files on its way until the model has its request."""
    gate = asyncio.Event()
    model_server.reset()
    model_server.script(Reply(gate=gate))
    journey.files, journey.is_on = set(), True
    sys.setprofile(journey.note)
    try:
        run_id = await client.cook(template_id)
        await model_server.wait_for_calls(1)
    finally:
        sys.setprofile(None)
        journey.is_on = False
        gate.set()
    await client.follow(run_id)
    return journey.files
