"""The types of credentials: what each is made of, and what of it is ever shown."""

import pytest
from jsonschema import Draft202012Validator

from automatos.credentials.seed import DIALECT, seed_credential_types, shipped_types
from automatos.credentials.service import providers_by_name
from automatos.credentials.trial import KNOWN_METHODS
from automatos.kernel.db import Database
from tests.surface import Client

TYPES = {row["name"]: row for row in shipped_types()}
DATABASES = {"postgres_credentials", "mysql_credentials", "mongodb_credentials", "redis_credentials",
             "elasticsearch_credentials"}
SERVICES = {"github_api", "slack_api", "smtp_credentials", "http_basic_auth", "http_header_auth"}
CLOUDS = {"aws_credentials", "azure_credentials", "google_cloud_credentials"}


@pytest.mark.capability("S042")
def test_at_least_seventeen_types_come_with_the_server_among_them_every_model_provider() -> None:
    opened = {provider.credential_type for provider in providers_by_name().values() if provider.wire != "demo"}

    assert len(TYPES) >= 17
    assert opened | DATABASES | CLOUDS | SERVICES <= set(TYPES)


@pytest.mark.capability("S040")
@pytest.mark.parametrize("name", TYPES)
def test_every_type_is_a_strict_schema_that_says_of_each_field_whether_it_is_secret(name: str) -> None:
    schema = TYPES[name]["schema"]

    Draft202012Validator.check_schema(schema)
    assert (schema["$schema"], schema["additionalProperties"]) == (DIALECT, False)
    for about in schema["properties"].values():
        assert isinstance(about["x-secret"], bool)
        assert about["title"]
        assert about["type"] in {"integer", "boolean"} or "enum" in about or {"maxLength", "pattern"} & set(about)
        assert "x-pattern" in about or "pattern" not in about


@pytest.mark.parametrize("name", TYPES)
def test_every_field_that_sounds_secret_is(name: str) -> None:
    for field, about in TYPES[name]["schema"]["properties"].items():
        if {"key", "password", "secret", "token", "passphrase", "value", "json", "string"} & set(field.split("_")):
            assert about["x-secret"] or field == "access_key_id", field


@pytest.mark.parametrize("name", TYPES)
def test_every_test_names_fields_that_the_type_has(name: str) -> None:
    test, fields = TYPES[name]["test_endpoint"], TYPES[name]["schema"]["properties"]
    if test is None:
        return
    assert test["method"] in KNOWN_METHODS
    assert set(test.get("needs", ())) <= set(fields)
    for way in test.get("auth", ()):
        assert set(way["fields"]) <= set(fields)


@pytest.mark.capability("S042")
async def test_the_list_gives_every_type_with_its_schema_and_categories(client: Client) -> None:
    listed = (await client.get("/api/credentials/types")).json()
    one = (await client.get("/api/credentials/types/openai_api")).json()

    assert {each["name"] for each in listed["items"]} == set(TYPES)
    assert set(listed["categories"]) == {"ai", "api", "cloud", "database", "infrastructure"}
    assert one in listed["items"]
    assert (one["provider"], one["schema"]["properties"]["api_key"]["x-secret"]) == ("openai", True)


async def test_an_unknown_type_is_answered_with_the_known_ones(client: Client) -> None:
    answer = await client.get("/api/credentials/types/opnai_api")

    assert (answer.status, answer.code) == (422, "unknown_credential_type")
    assert "openai_api" in answer.json()["known"]


async def test_seeding_again_mends_a_type_and_keeps_what_the_operator_switched_off(
    client: Client, database: Database
) -> None:
    async def run(statement: str) -> None:
        async with database.recording(None) as connection:
            await connection.execute(statement)

    await run("UPDATE credential_types SET display_name = 'Mine', is_active = false WHERE name = 'slack_api'")
    await seed_credential_types(database)

    names = {each["name"] for each in (await client.get("/api/credentials/types")).json()["items"]}
    shown = (await client.get("/api/credentials/types/slack_api")).json()
    await run("UPDATE credential_types SET is_active = true")
    assert "slack_api" not in names
    assert shown["display_name"] == "Slack"
