"""A database that stops: nobody waits long, nothing is half done, and work goes on when it is back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from automatos.entrypoints.api import create_app
from automatos.entrypoints.migrate import prepare_embedded
from automatos.entrypoints.services import Services
from automatos.kernel.config import Settings
from automatos.kernel.embedded import EmbeddedPostgres
from automatos.kernel.ids import new_id
from tests.conftest import open_to_server_user
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Answer, Client, Make, new_client, serving


@dataclass
class Server:
    """A server of this file alone, whose database the tests stop and start."""

    postgres: EmbeddedPostgres
    client: Client

    async def stop_database(self) -> None:
        await asyncio.to_thread(self.postgres._control, "stop", "-w", "-m", "immediate")

    async def start_database(self) -> None:
        await asyncio.to_thread(
            self.postgres._control, "start", "-w", "-l", str(self.postgres.directory / "server.log"), "-o",
            self.postgres._options())


@pytest.fixture(scope="module")
async def server(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings, shared_model_server: ModelServer
) -> AsyncIterator[Server]:
    directory = tmp_path_factory.mktemp("away")
    open_to_server_user(directory)
    postgres = EmbeddedPostgres(directory / "postgres")
    migrated = await prepare_embedded(postgres)
    scripted = settings.model_copy(update={
        "openai_api_key": SecretStr("sk-test"), "openai_base_url": shared_model_server.base_url,
        "default_llm_provider": "openai", "default_llm_model": "fake-model"})
    services = Services(scripted, migrated.url, role=migrated.role)
    async with serving(create_app(services), services) as http:
        yield Server(postgres, await new_client(http, services.database))
    await asyncio.to_thread(postgres.stop)


def unavailable(answer: Answer) -> None:
    assert (answer.status, answer.code) == (503, "database_unavailable"), answer.body
    assert int(answer.headers["Retry-After"]) > 0


async def test_every_kind_of_request_says_try_again_and_works_when_the_database_is_back(
    server: Server, shared_model_server: ModelServer
) -> None:
    client, make = server.client, Make(server.client)
    shared_model_server.reset()
    recipe = await make.recipe("Say hello")
    run = await client.cooked(recipe["template_id"])
    await server.stop_database()
    try:
        execute = f"/api/workflow-recipes/{recipe['template_id']}/execute"
        unavailable(await client.post(execute, json={}))
        unavailable(await client.post(execute, json={}, headers={"Idempotency-Key": "one"}))
        unavailable(await client.get(f"/api/runs/{run['id']}"))
        unavailable(await client.get(f"/api/runs/{run['id']}/events"))
        unavailable(await client.get(f"/api/runs/{run['id']}/events.json"))
        unavailable(await client.post(f"/api/runs/{new_id()}/cancel"))
        unavailable(await client.get("/api/workflow-recipes"))
        unavailable(await client.post(
            "/api/auth/sign-in", json={"email": "a@example.org", "password": "long enough to be one"}))
    finally:
        await server.start_database()

    assert (await client.get(f"/api/runs/{run['id']}")).json() == run
    assert (await client.get("/api/runs")).json()["total"] == 1
    assert (await client.cooked(recipe["template_id"]))["status"] == "completed"


async def test_a_run_and_its_reader_outlive_a_restart_of_the_database(
    server: Server, shared_model_server: ModelServer
) -> None:
    client, make = server.client, Make(server.client)
    shared_model_server.reset()
    recipe = await make.recipe("First", "Second")
    gate = asyncio.Event()
    shared_model_server.script(Reply(text="one", gate=gate), Reply(text="two"))
    run_id = await client.cook(recipe["template_id"])
    is_read = asyncio.Event()
    reading = asyncio.create_task(client.follow(run_id, is_open=is_read))
    await shared_model_server.wait_for_calls(1)
    await is_read.wait()  # the database stops under an open stream, not before it is asked for

    await server.stop_database()
    gate.set()
    await asyncio.sleep(0.5)
    await server.start_database()
    events = await reading

    assert events[-1]["type"] == "execution.completed"
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert len(shared_model_server.calls) == 2
