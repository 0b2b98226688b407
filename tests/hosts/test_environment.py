"""Every documented variable, by what it does: two real servers that are configured by them, and all they deal with."""

import asyncio
import base64
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from automatos.kernel.config import known_variables
from tests.chaos.processes import AUTOMATOS, environment
from tests.fakes.issuer import Issuer, running_issuer
from tests.fakes.model_server import ModelServer
from tests.hosts.conftest import Host
from tests.hosts.documented import (
    Bucket,
    Clerk,
    Running,
    asked_headers,
    redis_server,
    running,
    running_clerk,
    running_s3,
)
from tests.seed_client.client import variables

WORKSPACE, TENANT = "00000000-0000-0000-0000-000000000007", "00000000-0000-0000-0000-000000000008"
PASSWORD, KEY, PUBLIC = "p@ss/w:rd%", "operators-key-0123456789", "https://agents.example.com"
CLERK_KEY = "pk_test_" + base64.b64encode(b"clerk.agents.example.com$").decode().rstrip("=")
PLATFORM = {"X_API_Key": KEY}
OUTSIDE = {"X_Forwarded_For": "9.9.9.9"}
"""What a request that came through a proxy has."""


@dataclass
class World:
    """A server of a team, one of somebody alone, and what stands around them."""

    host: Host
    issuer: Issuer
    clerk: Clerk
    redis: Redis
    bucket: Bucket
    team: Running
    alone: Running

    async def logins(self) -> set[tuple[str, str]]:
        """Return who is connected to which database, both as PostgreSQL says."""
        found = await self.host.value(
            "SELECT array_agg(DISTINCT ARRAY[usename::text, datname::text]) FROM pg_stat_activity "
            "WHERE datname IS NOT NULL AND usename IS NOT NULL")
        assert isinstance(found, list)
        return {(login, database) for login, database in found}

    async def doctor(self, **changed: str) -> str:
        """Run `automatos doctor` with the team's variables, some changed, and return what it prints."""
        return await self.command("doctor", **changed)

    async def command(self, *arguments: str, **changed: str) -> str:
        """Run a command with the team's variables, some changed, and return what it prints."""
        variables = environment(self.team.server.home) | self.team.variables | changed | {"AUTOMATOS_PORT": "0"}
        done = await asyncio.to_thread(
            subprocess.run, [str(AUTOMATOS), *arguments], env=variables, check=False, capture_output=True, text=True,
            timeout=120)
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
async def world(host: Host, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("documented")
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        issuer, clerk = await enter(running_issuer()), await enter(running_clerk())
        asked_by_team, asked_by_one = await enter(ModelServer()), await enter(ModelServer())
        port = await enter(redis_server(folder, PASSWORD))
        redis = await enter(Redis(port=port, password=PASSWORD, db=0, decode_responses=True))
        for name in ("env_team", "env_alone"):
            await host.database(name)
        await host.run(f"ALTER ROLE env_team PASSWORD '{PASSWORD}'")
        bucket = stack.enter_context(running_s3("acme-agents"))
        team = await enter(running(folder / "team", asked_by_team, {
            "POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": str(host.port), "POSTGRES_DB": "env_team",
            "POSTGRES_USER": "env_team", "POSTGRES_PASSWORD": PASSWORD,
            "REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port), "REDIS_DB": "3", "REDIS_PASSWORD": PASSWORD,
            "CLERK_SECRET_KEY": "sk_test_documented", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY": CLERK_KEY,
            "CLERK_API_URL": clerk.url, "CLERK_JWKS_URL": issuer.jwks_url, "CLERK_ISSUER": issuer.url,
            "AUTOMATOS_ADMINS": "ada@example.org", "AUTOMATOS_TRUSTED_PROXIES": "127.0.0.1",
            "ORCHESTRATOR_API_KEY": KEY, "WORKSPACE_ID": WORKSPACE, "DEFAULT_TENANT_ID": TENANT,
            "OPENAI_API_KEY": "sk-documented-openai", "OPENAI_BASE_URL": asked_by_team.base_url,
            "ANTHROPIC_API_KEY": "sk-ant-documented", "ANTHROPIC_BASE_URL": asked_by_team.url,
            "HUGGINGFACE_API_KEY": "hf_documented", "HUGGINGFACE_BASE_URL": asked_by_team.base_url,
            "DEFAULT_LLM_PROVIDER": "anthropic", "DEFAULT_LLM_MODEL": "claude-documented",
            "AWS_S3_BUCKET": bucket.name, "AWS_ACCESS_KEY_ID": bucket.key_id, "AWS_REGION": "eu-west-1",
            "AWS_SECRET_ACCESS_KEY": bucket.secret, "AWS_ENDPOINT_URL": bucket.url, "COMPOSIO_API_KEY": "composio-key",
            "NEXT_PUBLIC_API_URL": PUBLIC, "CORS_ALLOW_ORIGINS": "https://one.example.com, https://two.example.com",
        }))
        alone = await enter(running(folder / "alone", asked_by_one, {
            "DATABASE_URL": host.url("env_alone", "pw", "env_alone"), "REQUIRE_AUTH": "false",
            "REQUIRE_API_KEY": "false", "API_KEY": KEY, "DEFAULT_TENANT_ID": TENANT,
            "OPENAI_API_KEY": "sk-alone", "OPENAI_BASE_URL": asked_by_one.base_url,
            "LLM_PROVIDER": "openai", "LLM_MODEL": "gpt-documented",
        }))
        yield World(host, issuer, clerk, redis, bucket, team, alone)


async def the_database_is_the_one_of_the_parts(world: World) -> None:
    assert ("env_team", "env_team") in await world.logins()


async def the_password_opens_the_database(world: World) -> None:
    assert "ok    database: PostgreSQL" in await world.doctor()
    assert "password authentication failed" in await world.doctor(POSTGRES_PASSWORD="another")


async def the_database_is_the_one_of_the_url(world: World) -> None:
    assert ("env_alone", "env_alone") in await world.logins()
    assert not (world.alone.server.home / "postgres").exists()
    both = await world.doctor(DATABASE_URL=world.host.url("env_alone", "wrong", "env_alone"))
    assert 'authentication failed for user "env_alone"' in both


async def counts_and_events_go_through_redis(world: World) -> None:
    await world.team.get("/api/agents", **PLATFORM)  # is counted
    assert set(await world.redis.info("keyspace")) == {"db3"}
    assert (await world.team.get("/health"))[1]["components"]["redis"]["status"] == "healthy"
    assert "redis" not in (await world.alone.get("/health"))[1]["components"]


async def the_password_opens_redis(world: World) -> None:
    assert "ok    redis: answers" in await world.doctor()
    assert "redis: does not answer" in await world.doctor(REDIS_PASSWORD="another")


def sign_in_with_clerk(world: World, subject: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.issuer.token(sub=subject)}"}


async def clerk_is_asked_for_a_persons_address(world: World) -> None:
    _, me = await world.team.get("/api/auth/me", **sign_in_with_clerk(world, "user_1"))
    assert me["user"]["email"] == "ada@example.org"
    assert set(world.clerk.keys) == {"Bearer sk_test_documented"}


async def the_browser_is_told_clerks_key_and_may_load_its_page(world: World) -> None:
    config = (await world.team.get("/api/auth/config"))[1]
    assert (config["mode"], config["clerk_publishable_key"]) == ("clerk", CLERK_KEY)
    async with world.team.http.get("/", headers={"Accept": "text/html"}) as page:
        assert "https://clerk.agents.example.com" in page.headers["Content-Security-Policy"]


async def the_operator_comes_in_by_the_key(world: World) -> None:
    assert (await world.team.get("/api/agents", **PLATFORM))[0] == 200
    assert (await world.team.get("/api/agents", X_API_Key=KEY + "x"))[0] == 401
    assert (await world.alone.get("/api/agents", X_API_Key=KEY))[0] == 200
    assert (await world.alone.get("/api/agents", X_API_Key=KEY + "x"))[0] == 401


async def nobody_comes_in_without_proof_unless_told(world: World) -> None:
    assert (await world.team.get("/api/agents"))[0] == 401
    assert (await world.alone.get("/api/agents"))[0] == 200


async def a_person_reads_metrics_only_where_no_key_is_needed(world: World) -> None:
    session = sign_in_with_clerk(world, "user_1")
    status, told = await world.team.get("/metrics", **session, **OUTSIDE)
    assert (status, told["code"]) == (403, "api_key_required")
    async with world.alone.http.get("/metrics", headers={"X-Forwarded-For": "9.9.9.9"}) as answer:
        assert (answer.status, "process_resident_memory_bytes" in await answer.text()) == (200, True)


async def openai_is_asked_with_the_key(world: World) -> None:
    call = await world.team.call_of("openai", "gpt-4o", **PLATFORM)
    assert call.headers["authorization"] == "Bearer sk-documented-openai"


async def anthropic_is_asked_with_the_key(world: World) -> None:
    call = await world.team.call_of("anthropic", "claude-sonnet-4-5", **PLATFORM)
    assert call.headers["x-api-key"] == "sk-ant-documented"


async def hugging_face_is_asked_with_the_key(world: World) -> None:
    call = await world.team.call_of("huggingface", "openai/gpt-oss-20b", **PLATFORM)
    assert call.headers["authorization"] == "Bearer hf_documented"


async def the_default_model_answers_for_agents_that_name_none(world: World) -> None:
    call = await world.team.call_of_an_agent_without_a_model(**PLATFORM)
    assert (call.is_anthropic, call.model) == (True, "claude-documented")


async def the_default_model_by_its_other_name(world: World) -> None:
    call = await world.alone.call_of_an_agent_without_a_model()
    assert (call.is_anthropic, call.model) == (False, "gpt-documented")


async def pages_of_the_public_address_are_our_own(world: World) -> None:
    body = {"name": "By a page", "agent_type": "custom"}
    assert (await world.team.post("/api/agents", body, Origin=PUBLIC, **PLATFORM))[0] == 201
    assert (await world.alone.post("/api/agents", body, Origin=PUBLIC))[0] == 403


async def the_listed_sites_may_call(world: World) -> None:
    for origin, told in (("https://two.example.com", "https://two.example.com"), ("https://three.example.com", None)):
        async with world.team.http.get("/health", headers={"Origin": origin}) as answer:
            assert answer.headers.get("Access-Control-Allow-Origin") == told


async def the_operator_works_in_the_named_workspace(world: World) -> None:
    assert (await world.team.get("/api/auth/me", **PLATFORM))[1]["workspace_id"] == WORKSPACE


async def without_a_name_it_is_the_default_tenant(world: World) -> None:
    assert (await world.alone.get("/api/auth/me"))[1]["workspace_id"] == TENANT


async def backups_go_into_the_bucket(world: World) -> None:
    said = await world.command("backup", "nightly.backup", "--bucket")
    assert world.bucket.names() == ["server/backups/nightly.backup"], said
    assert "has server/backups/nightly.backup already" in await world.command("backup", "nightly.backup", "--bucket")
    assert "No bucket is set" in await world.command("backup", "nightly.backup", "--bucket", AWS_S3_BUCKET="")


async def the_keys_open_the_bucket(world: World) -> None:
    assert "ok    bucket: acme-agents at " in await world.doctor()
    assert "SignatureDoesNotMatch" in await world.doctor(AWS_SECRET_ACCESS_KEY="another")
    assert "InvalidAccessKeyId" in await world.doctor(AWS_ACCESS_KEY_ID="AKIAANOTHER")
    assert (await world.team.get("/health"))[1]["components"]["object_store"]["status"] == "healthy"


async def requests_are_signed_for_the_region(world: World) -> None:
    async with asked_headers("Authorization") as (url, headers):
        await world.doctor(AWS_ENDPOINT_URL=url)
        assert headers
        assert all(f"Credential={world.bucket.key_id}/" in each and "/eu-west-1/s3/" in each for each in headers)
    assert "Amazon S3 in eu-west-1" in await world.doctor(AWS_ENDPOINT_URL="", HTTPS_PROXY="http://127.0.0.1:1")


async def what_nothing_uses_yet_is_said_at_the_start(world: World) -> None:
    await world.team.until_said("COMPOSIO_API_KEY: kept for a later release, which will have connected apps")
    assert "COMPOSIO" not in world.alone.said()


Proof = Callable[[World], Awaitable[None]]
PROOFS: dict[str, Proof] = {
    "POSTGRES_HOST": the_database_is_the_one_of_the_parts,
    "POSTGRES_PORT": the_database_is_the_one_of_the_parts,
    "POSTGRES_DB": the_database_is_the_one_of_the_parts,
    "POSTGRES_USER": the_database_is_the_one_of_the_parts,
    "POSTGRES_PASSWORD": the_password_opens_the_database,
    "DATABASE_URL": the_database_is_the_one_of_the_url,
    "REDIS_HOST": counts_and_events_go_through_redis,
    "REDIS_PORT": counts_and_events_go_through_redis,
    "REDIS_DB": counts_and_events_go_through_redis,
    "REDIS_PASSWORD": the_password_opens_redis,
    "CLERK_SECRET_KEY": clerk_is_asked_for_a_persons_address,
    "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY": the_browser_is_told_clerks_key_and_may_load_its_page,
    "ORCHESTRATOR_API_KEY": the_operator_comes_in_by_the_key,
    "API_KEY": the_operator_comes_in_by_the_key,
    "REQUIRE_AUTH": nobody_comes_in_without_proof_unless_told,
    "REQUIRE_API_KEY": a_person_reads_metrics_only_where_no_key_is_needed,
    "OPENAI_API_KEY": openai_is_asked_with_the_key,
    "ANTHROPIC_API_KEY": anthropic_is_asked_with_the_key,
    "HUGGINGFACE_API_KEY": hugging_face_is_asked_with_the_key,
    "DEFAULT_LLM_PROVIDER": the_default_model_answers_for_agents_that_name_none,
    "DEFAULT_LLM_MODEL": the_default_model_answers_for_agents_that_name_none,
    "LLM_PROVIDER": the_default_model_by_its_other_name,
    "LLM_MODEL": the_default_model_by_its_other_name,
    "AWS_S3_BUCKET": backups_go_into_the_bucket,
    "AWS_ACCESS_KEY_ID": the_keys_open_the_bucket,
    "AWS_SECRET_ACCESS_KEY": the_keys_open_the_bucket,
    "AWS_REGION": requests_are_signed_for_the_region,
    "COMPOSIO_API_KEY": what_nothing_uses_yet_is_said_at_the_start,
    "NEXT_PUBLIC_API_URL": pages_of_the_public_address_are_our_own,
    "CORS_ALLOW_ORIGINS": the_listed_sites_may_call,
    "WORKSPACE_ID": the_operator_works_in_the_named_workspace,
    "DEFAULT_TENANT_ID": without_a_name_it_is_the_default_tenant,
}
"""Variable of the product's description: what shows that a server acts on it."""


@pytest.mark.capability("S183")
@pytest.mark.parametrize("variable", PROOFS)
async def test_a_documented_variable_does_what_it_says(variable: str, world: World) -> None:
    await PROOFS[variable](world)


def test_every_variable_of_the_description_is_read_and_proved() -> None:
    assert PROOFS.keys() == variables().keys()
    assert PROOFS.keys() <= known_variables()
