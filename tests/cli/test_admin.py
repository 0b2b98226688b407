"""A server whose people come from an identity provider: its first admin, by the printed link and at the terminal."""

import re

import aiohttp
import pytest

from tests.chaos.harness import stage
from tests.chaos.processes import environment
from tests.cli.conftest import Cli
from tests.cli.test_up import SAMPLE, until_said
from tests.fakes.issuer import running_issuer

CLERK_KEY = "pk_test_Y2xlcmsuZXhhbXBsZS5jb20k"


@pytest.mark.slow
@pytest.mark.capability("S155")
async def test_the_first_admin_gets_the_server_and_the_sample_and_grants_the_role_to_others() -> None:
    async with running_issuer() as issuer, stage() as scene:
        variables = {
            "AUTOMATOS_COOK_SAMPLE": "true", "AUTOMATOS_DEMO_DELAY_MS": "0", "CLERK_PUBLISHABLE_KEY": CLERK_KEY,
            "AUTOMATOS_CLERK_PUBLISHABLE_KEY": CLERK_KEY, "AUTOMATOS_JWKS_URL": issuer.jwks_url,
            "AUTOMATOS_JWT_ISSUER": issuer.url,
        }
        server = await scene.start_server(variables=variables)
        _, _, _, place, _, run_id = (await until_said(server, SAMPLE))[1].rsplit("/", 5)
        printed = re.search(r"Open this link and sign in to begin: \S+/setup\?token=(\S+)", server.log.read_text())
        assert printed, server.log.read_text()
        cli = Cli(environment(server.home) | variables)
        ada, eve = [{"Authorization": f"Bearer {issuer.token(sub=name, name=name, exp=2_000_000_000)}"}
                    for name in ("ada", "eve")]
        where = {"X-Workspace-ID": place}

        async with aiohttp.ClientSession(server.url) as http:
            async with http.get("/api/auth/me", headers=eve) as response:
                assert (await response.json())["is_system_admin"] is False
            async with http.get(f"/api/runs/{run_id}", headers=ada | where) as response:
                assert response.status == 403
            async with http.post("/api/setup/admin", json={"token": printed[1]}, headers=ada) as response:
                assert response.status == 200, await response.text()
            async with http.get(f"/api/runs/{run_id}", headers=ada | where) as response:
                assert (await response.json())["status"] == "completed"

            assert [each["external_id"] for each in cli.json("admin", "list")] == ["ada"]
            assert len(cli.json("admin", "list", "--everybody")) == 2
            assert "is system admin" in cli("admin", "grant", "eve").stderr
            async with http.get("/api/health/endpoints", headers=eve) as response:
                assert response.status == 200
            assert cli("admin", "revoke", "eve").returncode == 0
            async with http.get("/api/health/endpoints", headers=eve) as response:
                assert response.status == 403
        last, unknown = cli("admin", "revoke", "ada"), cli("admin", "grant", "nobody@example.org")
        assert (last.returncode, unknown.returncode) == (1, 1)
        assert "only system admin" in last.stderr
        assert "No account here is called nobody@example.org" in unknown.stderr


@pytest.mark.slow
async def test_keys_without_an_issuer_end_the_start_with_one_paragraph(alone: Cli) -> None:
    done = alone("up", AUTOMATOS_JWKS_URL="https://id.example.com/keys")

    assert done.returncode == 1
    assert "AUTOMATOS_JWT_ISSUER" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_plan_of_a_workspace_is_set_on_the_servers_machine(quick: Cli) -> None:
    (place,) = quick.json("admin", "workspaces")
    assert place["plan_limits"] == {"max_agents": -1, "max_workflows": -1, "max_members": -1}
    assert place["slug"] in quick("admin", "workspaces").stdout

    said = quick("admin", "plan", place["slug"], "--agents", "500", "--members", "7").stderr
    assert "may have 500 agents, any number of recipes, 7 members" in said
    back = quick.json("admin", "plan", place["id"], "--agents=-1", "--members=-1")
    assert back == place
    for wrong in (("plan", place["slug"]), ("plan", place["slug"], "--agents=-2"), ("plan", "nobodys", "--agents=1")):
        assert quick("admin", *wrong).returncode in {1, 2}
    entries = quick.json("audit", "list", "--action", "workspace.plan_changed")["items"]
    assert [(each["actor"], each["actor_kind"]) for each in entries] == [("server's terminal", "server")] * 2
