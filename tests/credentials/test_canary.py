"""A planted secret is found nowhere: not in answers, errors, logs, events, prompts, exports, nor in any table."""

import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from aiohttp import web

from automatos.entrypoints.migrate import Migrated
from automatos.entrypoints.tables import metadata
from automatos.kernel.config import Settings
from tests.fakes.model_server import ModelServer
from tests.surface import Answer, Client, Make


@asynccontextmanager
async def parrot() -> AsyncIterator[str]:
    """A provider that repeats the key it was sent in everything it answers."""

    async def repeat(request: web.Request) -> web.Response:
        key = request.headers.get("Authorization", "")
        return web.json_response({"error": {"message": f"bad key {key}: {key.removeprefix('Bearer ')}", "code": key}},
                                 status=401)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", repeat)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    await runner.cleanup()


class Canary:
    """A secret, and everything that was said while it was there."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.secret = f"canary-{secrets.token_hex(16)}"
        self.heard: dict[str, str] = {}

    async def send(self, method: str, path: str, status: int | None = None, **options: Any) -> Answer:
        answer = await self.client.send(method, path, **options)
        self.heard[f"{len(self.heard)} {method} {path}"] = f"{answer.headers}{answer.body.decode()}"
        assert status in {None, answer.status}, answer.body
        return answer

    def found_in(self, texts: dict[str, str]) -> list[str]:
        """Return where it is heard: as it is, in base64, or as the bytes of a column."""
        raw = self.secret.encode()
        forms = (self.secret, base64.b64encode(raw).decode()[:-4], raw.hex())
        return [name for name, text in texts.items() if any(form in text for form in forms)]


@pytest.mark.capability("S040")
@pytest.mark.capability("S041")
async def test_a_planted_secret_is_found_nowhere(
    client: Client, make: Make, shared_model_server: ModelServer, migrated: Migrated, settings: Settings,
    capfd: pytest.CaptureFixture[str],
) -> None:
    canary = Canary(client)
    async with parrot() as url:
        provider_id = await plant(canary, url)
        await use(canary, provider_id, url)
        await mistreat(canary, provider_id)
        await run(canary, make)
        await read(canary, provider_id)
    assert "bad key" in canary.heard["events"], "the parrot was not heard at all"
    captured = capfd.readouterr()

    assert canary.found_in(canary.heard) == []
    assert canary.found_in({"stdout": captured.out, "stderr": captured.err}) == []
    asked = {str(at): f"{call.headers}{call.body}" for at, call in enumerate(shared_model_server.calls)}
    assert canary.found_in(asked) == []
    assert canary.found_in(await every_table(migrated)) == []
    assert canary.found_in({str(path): path.read_bytes().decode(errors="replace")
                            for path in settings.home.rglob("*") if path.is_file()}) == []


async def plant(canary: Canary, url: str) -> str:
    secret = canary.secret
    made = await canary.send("POST", "/api/credentials", 201, json={
        "name": "Parrot", "credential_type": "custom_api", "data": {"base_url": url, "api_key": secret}})
    await canary.send("POST", "/api/credentials", 201, json={
        "name": "Short", "provider": "custom", "value": secret, "base_url": url, "environment": "staging"})
    for name, data in {
        "postgres_credentials": {"host": "db.example.com", "database": "d", "username": "u", "password": secret},
        "mongodb_credentials": {"connection_string": f"mongodb://u:{secret}@db.example.com/d"},
        "http_header_auth": {"header_value": secret, "test_url": "http://127.0.0.1:1/"},
        "google_cloud_credentials": {"service_account_json": f'{{"private_key": "{secret}"}}'},
    }.items():
        await canary.send("POST", "/api/credentials", 201, json={"name": name, "credential_type": name, "data": data})
    return made.json()["id"]


async def use(canary: Canary, credential_id: str, url: str) -> None:
    path = f"/api/credentials/{credential_id}"
    await canary.send("POST", f"{path}/test", 200)
    await canary.send("POST", "/api/credentials/test", 200, json={
        "provider": "custom", "value": canary.secret, "base_url": url})
    await canary.send("PUT", path, 200, json={"data": {"api_key": canary.secret}, "description": "again"})
    for environment in ("production", "staging"):
        await canary.send("POST", "/api/models/test", 200, json={
            "provider": "custom", "model_id": "m", "environment": environment})
    await canary.send("GET", "/api/credentials/resolve?provider=custom", 200)


async def mistreat(canary: Canary, credential_id: str) -> None:
    """Send the secret in every wrong place."""
    secret, path = canary.secret, f"/api/credentials/{credential_id}"
    for data in ({"api_key": [secret]}, {"api_key": f"{secret} {secret}"}, {"api_key": secret * 200}, {secret: secret},
                 {"base_url": f"ftp://{secret}"}, {"base_url": f"http://u:{secret}@e.com"}, {"api_key": {"a": secret}}):
        await canary.send("PUT", path, 422, json={"data": data})
        await canary.send("POST", "/api/credentials", 422, json={
            "name": "X", "credential_type": "openai_api", "data": data})
    for body in ({"name": "X", "provider": "openai", "value": [secret]}, {"name": "X", "credential_type": "openai_api",
                 "data": secret}, {"name": "X", "provider": "openai", "value": f"{secret}\u0000"},
                 {"name": "X", "provider": "openai", "value": f"a {secret}"}, [secret]):
        await canary.send("POST", "/api/credentials", 422, json=body)
    await canary.send("POST", "/api/credentials", 409, json={
        "name": "Parrot", "provider": "openai", "value": secret})


async def run(canary: Canary, make: Make) -> None:
    """Cook a recipe whose provider refuses the key and repeats it."""
    agent = await make.agent(model_config={"provider": "custom", "model_id": "m"})
    recipe = await make.recipe({"prompt_template": "Hello", "agent_id": agent["id"], "max_retries": 0})
    run_id = await canary.client.cook(recipe["template_id"])
    canary.heard["events"] = f"{await canary.client.follow(run_id)}"
    for path in (f"/api/runs/{run_id}", f"/api/agents/{agent['id']}", f"/api/agents/{agent['id']}/export"):
        await canary.send("GET", path)


async def read(canary: Canary, credential_id: str) -> None:
    for path in ("/api/credentials", f"/api/credentials/{credential_id}", f"/api/credentials/{credential_id}/audit",
                 "/api/credentials/types", "/api/models/providers", "/api/models/default", "/api/audit",
                 "/api/usage/summary", "/api/settings", "/api/openapi.json"):
        await canary.send("GET", path, 200)


async def every_table(migrated: Migrated) -> dict[str, str]:
    assert migrated.embedded
    connection = await asyncpg.connect(migrated.embedded.admin_database_url)
    found = {
        table.fullname: "\n".join(row["t"] for row in await connection.fetch(
            f"SELECT t::text AS t FROM {table.fullname} t"))
        for table in metadata.sorted_tables
    }
    await connection.close()
    assert found["credentials"]
    assert found["llm_usage"]
    return found
