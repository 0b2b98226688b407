"""The server's key rotated by command while the server runs: its secrets go on opening, the old key is gone."""

import asyncio

from tests.chaos.harness import stage
from tests.hosts.test_backup import TIMEOUT_S, VARIABLES, automatos, call


async def test_a_running_server_goes_on_with_the_new_key() -> None:
    async with stage() as scene:
        model = await scene.start_model_server()
        server = await scene.start_server(variables=VARIABLES)
        await call(server.url, "POST", "/api/credentials", {
            "name": "Mine", "provider": "custom", "value": "sk-of-the-tenant", "base_url": model.base_url})
        agent = await call(server.url, "POST", "/api/agents", {
            "name": "Ada", "agent_type": "custom", "model_config": {"provider": "custom", "model_id": "fake-model"}})
        await call(server.url, "POST", f"/api/agents/{agent['id']}/activate")
        old = [path.read_bytes() for path in (server.home / "keys").iterdir()]

        rotated = await automatos(server.home, "key", "rotate")
        tried = await call(server.url, "POST", f"/api/agents/{agent['id']}/execute", {"prompt": "Say hello"})
        async with asyncio.timeout(TIMEOUT_S):
            while (run := await call(server.url, "GET", f"/api/runs/{tried['execution_id']}"))["finished_at"] is None:
                await asyncio.sleep(0.1)
        keys = [path.read_bytes() for path in (server.home / "keys").iterdir()]

    assert rotated.returncode == 0, rotated.stderr
    assert "1 values sealed under it, 1 old key files removed" in rotated.stderr
    assert run["status"] == "completed", run
    assert len(keys) == 1
    assert keys != old
