"""Configuration comes from the environment, typed; what each variable does is in tests/hosts/test_environment.py."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from automatos.kernel.config import Settings, known_variables, unknown_variables

DOCUMENTED = {
    "POSTGRES_HOST": ("db.example", "postgres_host"),
    "POSTGRES_PORT": ("5433", "postgres_port"),
    "POSTGRES_DB": ("kitchen", "postgres_db"),
    "POSTGRES_USER": ("cook", "postgres_user"),
    "POSTGRES_PASSWORD": ("p@ss/word", "postgres_password"),
    "DATABASE_URL": ("postgresql://a:b@c/d", "database_url"),
    "REDIS_HOST": ("cache.example", "redis_host"),
    "REDIS_PORT": ("6380", "redis_port"),
    "REDIS_DB": ("3", "redis_db"),
    "REDIS_PASSWORD": ("r:e@d", "redis_password"),
    "CLERK_SECRET_KEY": ("sk_test_x", "clerk_secret_key"),
    "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY": ("pk_test_x", "clerk_publishable_key"),
    "ORCHESTRATOR_API_KEY": ("ak_platform", "platform_api_key"),
    "REQUIRE_AUTH": ("false", "require_auth"),
    "OPENAI_API_KEY": ("sk-openai", "openai_api_key"),
    "ANTHROPIC_API_KEY": ("sk-ant", "anthropic_api_key"),
    "DEFAULT_LLM_PROVIDER": ("anthropic", "default_llm_provider"),
    "DEFAULT_LLM_MODEL": ("some-model", "default_llm_model"),
    "COMPOSIO_API_KEY": ("comp-key-7", "composio_api_key"),
    "AWS_ACCESS_KEY_ID": ("AKIA", "aws_access_key_id"),
    "AWS_SECRET_ACCESS_KEY": ("aws-secret", "aws_secret_access_key"),
    "AWS_S3_BUCKET": ("plates", "aws_s3_bucket"),
    "AWS_REGION": ("eu-west-1", "aws_region"),
    "NEXT_PUBLIC_API_URL": ("https://api.example", "public_url"),
    "CORS_ALLOW_ORIGINS": ("https://a.example, https://b.example", "cors_allow_origins"),
    "WORKSPACE_ID": ("00000000-0000-0000-0000-000000000007", "workspace_id"),
}
"""Variable: a value, and the setting it becomes."""


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in known_variables() | {name for name in os.environ if name.startswith("AUTOMATOS_")}:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("variable", DOCUMENTED)
def test_every_documented_variable_is_read(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value, field = DOCUMENTED[variable]
    unset = getattr(Settings(), field)
    monkeypatch.setenv(variable, value)
    read = getattr(Settings(), field)
    assert read != unset
    plain = read.get_secret_value() if hasattr(read, "get_secret_value") else read
    expected = {"REQUIRE_AUTH": "False", "CORS_ALLOW_ORIGINS": "('https://a.example', 'https://b.example')"}
    assert str(plain) == expected.get(variable, value)


@pytest.mark.capability("S183")
def test_the_database_address_is_derived_from_its_parts_when_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().external_database_url is None
    for name, (value, _) in DOCUMENTED.items():
        if name.startswith("POSTGRES_"):
            monkeypatch.setenv(name, value)
    assert Settings().external_database_url == "postgresql://cook:p%40ss%2Fword@db.example:5433/kitchen"
    monkeypatch.setenv("DATABASE_URL", "postgresql://a:b@c/d")
    assert Settings().external_database_url == "postgresql://a:b@c/d"


@pytest.mark.capability("S183")
def test_the_redis_address_is_derived_from_its_parts_when_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().redis is None
    for name, (value, _) in DOCUMENTED.items():
        if name.startswith("REDIS_"):
            monkeypatch.setenv(name, value)
    assert Settings().redis == "redis://:r%3Ae%40d@cache.example:6380/3"


@pytest.mark.capability("S182")
def test_without_any_variable_the_defaults_are_safe() -> None:
    settings = Settings()
    assert settings.require_auth
    assert settings.is_loopback
    assert not settings.is_production
    assert settings.cors_allow_origins == ("http://localhost:3000",)
    assert (settings.rate_limit, settings.body_limit_bytes, settings.upload_limit_bytes) == (
        "60/minute", 10 * 2**20, 50 * 2**20)


@pytest.mark.capability("S182")
def test_our_own_prefix_wins_over_the_published_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_AUTH", "false")
    monkeypatch.setenv("AUTOMATOS_REQUIRE_AUTH", "true")
    assert Settings().require_auth


@pytest.mark.parametrize("nothing", ["", "  ", "\r", '""'])
def test_a_variable_that_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch, nothing: str) -> None:
    unset = Settings()
    for name in known_variables():
        if not (nothing.strip() and name.endswith("PASSWORD")):
            monkeypatch.setenv(name, nothing)
    monkeypatch.setenv("POSTGRES_PASSWORD", "")

    assert Settings() == unset.model_copy(update={
        "redis_password": Settings().redis_password, "postgres_password": Settings().postgres_password})
    monkeypatch.setenv("LLM_PROVIDER", "anthropic")
    assert Settings().default_llm_provider == "anthropic", "an empty name of the same setting does not stand before it"


@pytest.mark.parametrize(("variable", "written", "field", "meant"), [
    ("AUTOMATOS_PORT", "8001\r", "port", 8001), ("AUTOMATOS_REQUIRE_AUTH", "'false'", "require_auth", False),
    ("DATABASE_URL", '"postgresql://a:b@c/d"\r\n', "external_database_url", "postgresql://a:b@c/d"),
    ("CORS_ALLOW_ORIGINS", '"https://a.example, https://b.example"', "cors_allow_origins",
     ("https://a.example", "https://b.example")),
    ("OPENAI_BASE_URL", " http://127.0.0.1:1/v1 ", "openai_base_url", "http://127.0.0.1:1/v1"),
    ("CORS_ALLOW_ORIGINS", "none", "cors_allow_origins", ()),
    ("AUTOMATOS_PRIVATE_PROVIDERS", "None", "private_providers", ()),
])
def test_what_files_leave_around_a_value_is_no_part_of_it(
    monkeypatch: pytest.MonkeyPatch, variable: str, written: str, field: str, meant: object
) -> None:
    monkeypatch.setenv(variable, written)

    assert getattr(Settings(), field) == meant


def test_a_password_keeps_its_blanks_and_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_PASSWORD", " 'p' \r\n")

    assert Settings().postgres_password.get_secret_value() == " 'p' "


@pytest.mark.capability("S182")
def test_no_file_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / ".env").write_text("AUTOMATOS_PORT=1234\n")
    monkeypatch.chdir(tmp_path)
    assert Settings().port == 8000


def test_a_typing_mistake_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMATOS_PROT", "1")
    monkeypatch.setenv("AUTOMATOS_PORT", "1")
    assert unknown_variables() == ["AUTOMATOS_PROT"]


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (value, _) in DOCUMENTED.items():
        monkeypatch.setenv(name, value)
    shown = repr(Settings())
    for name, (value, _) in DOCUMENTED.items():
        if any(word in name for word in ("PASSWORD", "SECRET", "API_KEY", "DATABASE_URL")):
            assert value not in shown, name


@pytest.mark.parametrize("address", ["s3.example.com", "ftp://s3.example.com", "http://", "https:///bucket"])
def test_an_object_store_needs_an_address_that_can_be_asked(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    with pytest.raises(ValidationError, match="AWS_ENDPOINT_URL"):
        Settings()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    assert Settings().aws_endpoint_url is None


@pytest.mark.parametrize(("engine", "target", "namespace"), [
    ("temporal://temporal.example:7233/default", "temporal.example:7233", "default"),
    ("temporal://[::1]:7233/agents.prod", "[::1]:7233", "agents.prod"),
])
def test_an_engine_names_a_server_and_a_namespace(
    monkeypatch: pytest.MonkeyPatch, engine: str, target: str, namespace: str
) -> None:
    assert Settings().temporal is None
    monkeypatch.setenv("AUTOMATOS_ENGINE", engine)
    found = Settings().temporal
    assert found
    assert (found.target, found.namespace) == (target, namespace)


def test_an_encrypted_engine_is_shown_what_the_settings_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMATOS_ENGINE", "temporal+tls://agents.example:7233/agents.a1b2c")
    monkeypatch.setenv("AUTOMATOS_TEMPORAL_API_KEY", "sesame")
    monkeypatch.setenv("AUTOMATOS_TEMPORAL_CA_FILE", "/ca.pem")
    settings = Settings()
    found = settings.temporal
    assert found
    assert (found.target, found.is_encrypted, found.ca_file) == ("agents.example:7233", True, Path("/ca.pem"))
    assert found.api_key
    assert found.api_key.get_secret_value() == "sesame"
    assert "sesame" not in f"{found} {settings!r}"


@pytest.mark.parametrize(("engine", "name", "told"), [
    ("temporal://host:7233/default", "API_KEY", "is for an encrypted connection"),
    ("temporal://host:7233/default", "CA_FILE", "is for an encrypted connection"),
    ("builtin", "API_KEY", "is for an encrypted connection"),
    ("temporal+tls://host:7233/default", "CERT_FILE", "go together"),
    ("temporal+tls://host:7233/default", "KEY_FILE", "go together"),
])
def test_temporal_is_shown_nothing_in_the_clear_and_no_half_of_a_certificate(
    monkeypatch: pytest.MonkeyPatch, engine: str, name: str, told: str
) -> None:
    monkeypatch.setenv("AUTOMATOS_ENGINE", engine)
    monkeypatch.setenv(f"AUTOMATOS_TEMPORAL_{name}", "sesame")
    with pytest.raises(ValidationError, match=told) as refused:
        Settings()
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize("engine", [
    "temporal", "temporal://", "temporal://host/default", "temporal://host:7233", "temporal://host:7233/",
    "temporal+ssl://host:7233/default", "temporal+tls://host/default",
    "temporal://host:0/default", "temporal://host:70000/default", "temporal://user:secret@host:7233/default",
    "temporal://host:7233/default?tls=true", "temporal://host:7233/default/more", "http://host:7233/default", "celery",
    "BUILTIN",
])
def test_an_engine_that_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    monkeypatch.setenv("AUTOMATOS_ENGINE", engine)
    with pytest.raises(ValidationError, match="must be builtin, or the address of a Temporal server"):
        Settings()


@pytest.mark.parametrize("address", ["9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:70000",
                                     "127.0.0.1:http"])
def test_a_worker_address_without_host_and_port_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("AUTOMATOS_WORKER_ADDRESS", address)
    with pytest.raises(ValidationError, match="must be a host and a port"):
        Settings()
