"""Six levels at which a secret is looked for, in their order, inside one workspace."""

from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from automatos.credentials.resolution import Held, Search
from automatos.credentials.service import Keyring, get_provider
from automatos.credentials.types import CredentialLevel, Environment, SearchedPlace
from automatos.kernel.clock import now
from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from tests.surface import Client

OPENAI = get_provider("openai")


def held(name: str, environment: str = "production", provider: str = "openai", **more: Any) -> Held:
    return Held(new_id(), name, provider, environment, **more)


CHOSEN = held("My key", "staging")
IN_ORDER = [
    (CHOSEN, CredentialLevel.EXPLICIT_NAME),
    (held("production_openai_api"), CredentialLevel.NAME),
    (held("production_openai"), CredentialLevel.NAME),
    (held("openai_api"), CredentialLevel.NAME),
    (held("openai"), CredentialLevel.NAME),
    (held("Whatever"), CredentialLevel.TYPE),
    (held("OpenAI", provider="custom"), CredentialLevel.NAME_VARIANT),
    (held("openai", "development"), CredentialLevel.OTHER_ENVIRONMENT),
]


def search(all_held: list[Held], environment: str = "production", explicit: str | None = None,
           looks: list[SearchedPlace] | None = None) -> tuple[Held, CredentialLevel] | None:
    found = Search(all_held, OPENAI, now(), [] if looks is None else looks)
    return found.run(Environment(environment), explicit)


@pytest.mark.capability("S039")
@pytest.mark.parametrize("at", range(len(IN_ORDER)))
def test_each_level_wins_over_all_beneath_it(at: int) -> None:
    beneath = [each for each, _ in IN_ORDER[at:]]

    assert search(beneath[::-1], explicit="My key") == IN_ORDER[at]


@pytest.mark.capability("S039")
def test_the_levels_are_six_and_come_in_their_order() -> None:
    levels = [level for _, level in IN_ORDER]

    assert [int(level) for level in CredentialLevel] == [1, 2, 3, 4, 5, 6]
    assert all(first <= second for first, second in pairwise(levels))


@pytest.mark.parametrize("level", range(len(IN_ORDER)))
@pytest.mark.parametrize("off", [{"is_active": False}, {"expires_at": now() - timedelta(seconds=1)}])
def test_one_that_is_switched_off_or_expired_is_passed_over_at_every_level(level: int, off: dict[str, Any]) -> None:
    one, _ = IN_ORDER[level]
    dead = Held(one.id, one.name, one.provider, one.environment, **off)
    last = held("z", "development")
    looks: list[SearchedPlace] = []

    found = search([dead, last], explicit="My key", looks=looks)

    assert found == (last, CredentialLevel.OTHER_ENVIRONMENT)
    assert level == len(IN_ORDER) - 1 or any("expired" in look.outcome or "switched" in look.outcome for look in looks)


def test_the_newest_of_a_type_is_taken() -> None:
    newest, older = held("b"), held("a")

    assert search([newest, older]) == (newest, CredentialLevel.TYPE)


def test_an_environment_keeps_to_itself_but_for_development() -> None:
    production, staging, development = held("p"), held("s", "staging"), held("d", "development")
    everything = [production, staging, development]

    assert search(everything, "staging") == (staging, CredentialLevel.TYPE)
    assert search([production, development], "staging") == (development, CredentialLevel.OTHER_ENVIRONMENT)
    assert search([production], "staging") is None
    assert search([staging], "production") is None
    assert search(everything, "development") == (development, CredentialLevel.TYPE)
    assert search([production, staging], "development") == (production, CredentialLevel.OTHER_ENVIRONMENT)


def test_a_name_opens_only_what_speaks_the_same_wire() -> None:
    assert search([held("openai", provider="anthropic")]) is None
    assert search([held("My key", provider="anthropic")], explicit="My key") is None
    anthropic = Search([held("anthropic", provider="custom")], get_provider("anthropic"), now(), [])
    assert anthropic.run(Environment.PRODUCTION, None) is None


@pytest.mark.capability("S039")
async def test_the_environment_variable_comes_last_and_only_where_it_is_shared(
    database: Database, vault: Vault, tmp_path: Any, workspace_id: UUID, store: Any
) -> None:
    shared = Settings(home=tmp_path, openai_api_key=SecretStr("sk-platform"))
    keyring = Keyring(database, vault, shared)
    kept = Keyring(database, vault, shared.model_copy(update={"share_platform_keys": False}))

    alone = await keyring.resolve(workspace_id, OPENAI, Environment.PRODUCTION)
    unshared = await kept.resolve(workspace_id, OPENAI, Environment.PRODUCTION)
    await store(name="dev", provider="openai", value="k" * 20, environment="development")
    fallen_back = await keyring.resolve(workspace_id, OPENAI, Environment.PRODUCTION)

    assert (alone.level, alone.source) == (CredentialLevel.ENVIRONMENT_VARIABLE, "environment")
    assert (unshared.level, unshared.source) == (None, "none")
    assert "AUTOMATOS_SHARE_PLATFORM_KEYS" in unshared.looks[-1].outcome
    assert (fallen_back.level, fallen_back.credential_name) == (CredentialLevel.OTHER_ENVIRONMENT, "dev")


@pytest.mark.capability("S029")
async def test_an_agents_environment_chooses_the_key(
    database: Database, vault: Vault, own_settings: Settings, workspace_id: UUID, store: Any
) -> None:
    for environment in ("production", "staging", "development"):
        await store(name=environment, provider="openai", value=f"sk-{environment}", environment=environment)
    keyring = Keyring(database, vault, own_settings)

    found = [await keyring.find_access(workspace_id, "openai", each)
             for each in (None, "production", "staging", "development")]
    await keyring.close()

    assert [secret.key.reveal() for secret in found if secret] == [
        "sk-production", "sk-production", "sk-staging", "sk-development"]


async def test_an_expired_credential_is_not_used(
    database: Database, vault: Vault, own_settings: Settings, workspace_id: UUID, store: Any
) -> None:
    await store(name="Key", provider="openai", value="k" * 20, expires_at=now() + timedelta(hours=1))
    keyring = Keyring(database, vault, own_settings)
    async with database.recording(workspace_id) as connection:
        await connection.execute("UPDATE credentials SET expires_at = now() - interval '1 minute'")

    assert await keyring.find_access(workspace_id, "openai") is None
    assert await keyring.configured_providers(workspace_id) == {}


@pytest.mark.capability("S039")
async def test_settings_choose_by_name_and_the_answer_says_which_level_decided(client: Client) -> None:
    for name in ("First", "Second"):
        made = await client.post("/api/credentials", json={"name": name, "provider": "mistral", "value": "k" * 20})
        assert made.status == 201, made.body
    path = "/api/credentials/resolve?provider=mistral"

    newest = (await client.get(path)).json()
    saved = await client.put("/api/settings/chatbot/credential_name_mistral", json={"value": "First"})
    chosen = (await client.get(f"{path}&service=chatbot")).json()

    assert saved.status == 200, saved.body
    assert (newest["level"], newest["credential_name"]) == (3, "Second")
    assert (chosen["level"], chosen["credential_name"], chosen["source"]) == (1, "First", "workspace")
    assert chosen["looks"][0]["outcome"] == "'First' is used"


async def test_what_is_resolved_is_never_another_workspaces(client: Client, stranger: Client) -> None:
    await client.post("/api/credentials", json={"name": "mistral", "provider": "mistral", "value": "k" * 20})
    await stranger.put("/api/settings/orchestrator_llm/credential_name_mistral", json={"value": "mistral"})

    answer = (await stranger.get("/api/credentials/resolve?provider=mistral&environment=staging")).json()

    assert (answer["source"], answer["level"], answer["credential_id"]) == ("none", None, None)
    assert [look["level"] for look in answer["looks"]] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("query", "code"), [
    ("provider=opnai", "unknown_provider"), ("provider=openai&environment=moon", "invalid_request"),
    ("", "invalid_request"),
])
async def test_what_cannot_be_resolved_is_named(client: Client, query: str, code: str) -> None:
    answer = await client.get(f"/api/credentials/resolve?{query}")

    assert (answer.status, answer.code) == (422, code)
