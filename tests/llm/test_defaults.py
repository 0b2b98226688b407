"""Which model answers when an agent names none."""

from uuid import UUID

import pytest
from pydantic import SecretStr

from automatos.credentials.errors import UnknownProvider
from automatos.credentials.schemas import CredentialCreate
from automatos.credentials.service import CredentialDeps, Keyring, add_credential
from automatos.entrypoints.services import Services
from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database, Scope
from automatos.kernel.http import Http
from automatos.llm.choices import find_default
from automatos.llm.errors import UnknownModel
from automatos.llm.service import ModelClient
from automatos.llm.types import DefaultModel, ModelChoice
from automatos.settings.service import save_setting
from automatos.settings.types import SettingScope
from automatos.workspaces.types import AuthMethod, Caller, Role
from tests.surface import Client


def caller_in(workspace_id: UUID) -> Caller:
    return Caller(user=None, workspace_id=workspace_id, role=Role.OWNER, auth_method=AuthMethod.NONE,
                  is_system_admin=True)


@pytest.fixture
def world(database: Database, tmp_path, workspace_id: UUID, outgoing: Http):
    """Ask for the default model under given environment settings."""
    vault_settings = Settings(home=tmp_path)
    vault = Vault(vault_settings)

    class World:
        async def default(self, service: str = "orchestrator", **environment) -> DefaultModel:
            settings = Settings(home=tmp_path, **environment)
            return await find_default(database, settings, Keyring(database, vault, settings), workspace_id, service)

        async def set(self, key: str, value: object, category: str = "orchestrator_llm", *,
                      system: bool = False) -> None:
            async with database.session(workspace_id, Scope.ADMIN if system else None) as session:
                await save_setting(session, caller_in(workspace_id), category, key, value=value,
                                   scope=SettingScope.SYSTEM if system else SettingScope.WORKSPACE)

        async def add_credential(self, provider: str) -> None:
            async with database.session(workspace_id) as session:
                await add_credential(session, caller_in(workspace_id), CredentialDeps(vault, vault_settings, outgoing),
                                     CredentialCreate(name=provider, provider=provider, value=SecretStr("k" * 20)))

    return World()


@pytest.fixture
async def clean_system_settings(database: Database):
    yield
    async with database.recording(None, Scope.ADMIN) as connection:
        await connection.execute("DELETE FROM system_settings WHERE workspace_id IS NULL")


@pytest.mark.capability("S038")
@pytest.mark.usefixtures("clean_system_settings")
async def test_each_level_wins_over_the_one_beneath(world) -> None:
    assert (await world.default()).is_demo

    await world.add_credential("groq")
    assert (await world.default()).source == "credential"
    assert (await world.default()).choice.provider == "groq"

    environment = {"default_llm_provider": "openai", "default_llm_model": "gpt-4.1"}
    found = await world.default(**environment)
    assert (found.choice, found.source) == (ModelChoice("openai", "gpt-4.1"), "environment")

    await world.set("llm_provider", "mistral", system=True)
    await world.set("llm_model", "mistral-large-4", system=True)
    found = await world.default(**environment)
    assert (found.choice, found.source) == (ModelChoice("mistral", "mistral-large-4"), "system_settings")

    await world.set("llm_provider", "anthropic")
    await world.set("llm_model", "claude-haiku-4-5")
    found = await world.default(**environment)
    assert (found.choice, found.source) == (ModelChoice("anthropic", "claude-haiku-4-5"), "workspace_settings")


async def test_the_demo_is_never_chosen_while_a_platform_key_is_there(world) -> None:
    found = await world.default(anthropic_api_key=SecretStr("sk-ant-1"))

    assert (found.choice.provider, found.source, found.is_demo) == ("anthropic", "credential", False)


@pytest.mark.capability("S037")
async def test_a_service_reads_its_own_category_first(world) -> None:
    await world.set("llm_provider", "openai")
    await world.set("llm_model", "gpt-4.1")
    await world.set("llm_provider", "mistral", "chatbot")

    assert (await world.default("chatbot")).choice.provider == "mistral"
    assert (await world.default("heartbeat")).choice.provider == "openai"
    assert (await world.default("rag")).choice.provider == "openai"


@pytest.mark.capability("S038")
@pytest.mark.usefixtures("clean_system_settings")
async def test_settings_also_say_how_the_model_is_asked(world) -> None:
    for key, value in (("llm_model", "gpt-4.1"), ("temperature", 0.2), ("fallback_model", "gpt-4.1-mini")):
        await world.set(key, value)
    await world.set("temperature", 0.9, system=True)
    await world.set("max_tokens", 500, system=True)

    found = await world.default()

    assert found.choice == ModelChoice("openai", "gpt-4.1", 0.2, 500, fallback_model_id="gpt-4.1-mini")


@pytest.mark.usefixtures("clean_system_settings")
async def test_a_model_beside_an_inherited_provider_is_asked_there_and_nowhere_else(world) -> None:
    await world.set("llm_provider", "mistral", system=True)
    await world.set("llm_model", "gpt-4.1")

    assert (await world.default()).choice == ModelChoice("mistral", "gpt-4.1")


@pytest.mark.capability("S037")
async def test_an_unknown_provider_in_settings_is_an_error_that_names_the_known_ones(world) -> None:
    await world.set("llm_provider", "opnai")

    with pytest.raises(UnknownProvider, match=r"'opnai'.*anthropic"):
        await world.default()


@pytest.mark.capability("S037")
@pytest.mark.parametrize(("key", "value"), [("llm_provider", "ollama"), ("llm_model", "nobody-knows-me")])
async def test_half_a_choice_in_settings_is_an_error_that_names_the_other_half(world, key: str, value: str) -> None:
    await world.set(key, value)

    with pytest.raises(UnknownModel, match="orchestrator_llm"):
        await world.default()


async def test_a_well_known_model_says_itself_whose_it_is(world) -> None:
    found = await world.default(default_llm_model="claude-haiku-4-5")
    assert found.choice == ModelChoice("anthropic", "claude-haiku-4-5")


async def test_a_model_alone_belongs_to_the_base_url_or_to_the_only_provider_with_a_key(world) -> None:
    own = {"openai_base_url": "http://127.0.0.1:11434"}
    for model in ("llama3:8b", "mistral:7b", "openai/gpt-oss-20b", "claude-haiku-4-5"):
        found = await world.default(default_llm_model=model, mistral_api_key=SecretStr("k" * 20), **own)
        assert found.choice == ModelChoice("openai", model)
    found = await world.default(default_llm_model="zai-org/GLM-5.3", openrouter_api_key=SecretStr("k" * 20))
    assert found.choice == ModelChoice("openrouter", "zai-org/GLM-5.3")


@pytest.mark.parametrize("model", ["zai-org/GLM-5.3", "mistral:7b", "anthropic:claude"])
async def test_a_model_that_several_may_serve_has_to_name_its_provider(world, model: str) -> None:
    with pytest.raises(UnknownModel, match="DEFAULT_LLM_PROVIDER"):
        await world.default(default_llm_model=model, openrouter_api_key=SecretStr("k" * 20),
                            mistral_api_key=SecretStr("k" * 20))


async def test_an_obstacle_is_named_before_a_run_meets_it(models: ModelClient, workspace_id: UUID) -> None:
    assert await models.find_obstacle(workspace_id, ModelChoice("openai", "gpt-4o")) is None
    assert await models.find_obstacle(workspace_id, None) is None
    assert "no key for Mistral" in str(await models.find_obstacle(workspace_id, ModelChoice("mistral", "m")))
    assert "no provider named 'x'" in str(await models.find_obstacle(workspace_id, ModelChoice("x", "m")))


async def test_the_default_of_runs_is_kept_until_somebody_chooses_another(
    client: Client, database: Database, services: Services
) -> None:
    async def choose(model: str) -> None:
        saved = await client.put("/api/settings/orchestrator_llm", json={
            "values": {"llm_provider": "openai", "llm_model": model}})
        assert saved.status == 200, saved.body

    async def chosen() -> str:
        return (await services.models.default_choice(client.workspace_id)).model_id

    await choose("gpt-4.1")
    first = await chosen()
    async with database.session(client.workspace_id) as session:  # past the route, of which nobody hears
        await save_setting(session, caller_in(client.workspace_id), "orchestrator_llm", "llm_model",
                           value="gpt-4.1-mini", scope=SettingScope.WORKSPACE)
    kept = await chosen()
    await choose("gpt-4.1-nano")

    assert [first, kept, await chosen()] == ["gpt-4.1", "gpt-4.1", "gpt-4.1-nano"]
