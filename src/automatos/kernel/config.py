"""Settings: environment first, then defaults; every variable the server reads is a field here."""

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import quote, urlsplit
from uuid import UUID

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from automatos.kernel.variables import as_meant

OWN_PREFIX = "AUTOMATOS_"
NONE = "none"
"""A list of nothing, which is something else than a list that nobody set."""
READ_ELSEWHERE = frozenset({"AUTOMATOS_URL", "AUTOMATOS_SKIP_UI", "AUTOMATOS_UI_NODE"})
"""Variables of the command line and of the build, which a server may find in its environment too."""


KNOWN_LOCAL_PROVIDERS = tuple(f"http://{host}:{port}" for port in (11434, 1234) for host in ("127.0.0.1", "localhost"))
"""Where Ollama and LM Studio listen."""
BASE_PATH = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")


PRIVATE_ADDRESS = re.compile(r"https?://(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(?:\d{1,5}|\*))?(?:/[A-Za-z0-9._~/-]*)?")


TEMPORAL = re.compile(
    r"temporal(\+tls)?://(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})/([A-Za-z0-9][A-Za-z0-9._-]{0,254})")
BUILT_IN = "builtin"


@dataclass(frozen=True)
class TemporalAddress:
    """Where a Temporal server answers (`host:port`), which of its namespaces is ours, and what it is to be shown.

    With `is_encrypted`, its certificate is checked against `ca_file`, or what this machine trusts.
    """

    target: str
    namespace: str
    is_encrypted: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    api_key: SecretStr | None = None


def _own(name: str, *others: str) -> AliasChoices:
    """Accept the variable with our prefix first, then the published names."""
    return AliasChoices(f"{OWN_PREFIX}{name}", *others)


class Settings(BaseSettings):
    """Everything that can be configured from the environment, typed and checked at start."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", case_sensitive=True, populate_by_name=True,
                                      hide_input_in_errors=True)

    # Where and how the server listens.
    host: str = Field("127.0.0.1", validation_alias=_own("HOST"))
    port: int = Field(8000, ge=0, le=65535, validation_alias=_own("PORT"))
    home: Path = Field(Path("~/.automatos"), validation_alias=_own("HOME"), validate_default=True)
    environment: Literal["development", "staging", "production"] = Field(
        "development", validation_alias=_own("ENVIRONMENT", "ENVIRONMENT")
    )
    base_path: str = Field("", validation_alias=_own("BASE_PATH"))
    public_url: str | None = Field(None, validation_alias=_own("PUBLIC_URL", "NEXT_PUBLIC_API_URL", "BACKEND_URL"))
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", validation_alias=_own("LOG_LEVEL"))
    log_format: Literal["auto", "json", "text"] = Field("auto", validation_alias=_own("LOG_FORMAT"))
    trusted_hosts: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias=_own("TRUSTED_HOSTS"))
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias=_own("TRUSTED_PROXIES"))
    cors_allow_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        ("http://localhost:3000",), validation_alias=_own("CORS_ALLOW_ORIGINS", "CORS_ALLOW_ORIGINS")
    )

    # Database: one URL, or its parts, or neither (the embedded server).
    database_url: SecretStr | None = Field(None, validation_alias=_own("DATABASE_URL", "DATABASE_URL"))
    database_direct_url: SecretStr | None = Field(None, validation_alias=_own("DATABASE_DIRECT_URL"))
    database_pooler: Literal["auto", "none", "session", "transaction"] = Field(
        "auto", validation_alias=_own("DATABASE_POOLER")
    )
    postgres_host: str | None = Field(None, validation_alias="POSTGRES_HOST")
    postgres_port: int = Field(5432, validation_alias="POSTGRES_PORT")
    postgres_db: str = Field("automatos", validation_alias="POSTGRES_DB")
    postgres_user: str = Field("postgres", validation_alias="POSTGRES_USER")
    postgres_password: SecretStr = Field(SecretStr(""), validation_alias="POSTGRES_PASSWORD")
    sql_debug: bool = Field(False, validation_alias=_own("SQL_DEBUG", "SQL_DEBUG"))
    database_pool_size: int = Field(8, ge=2, le=100, validation_alias=_own("DATABASE_POOL_SIZE"))

    # Redis is optional: shared counters and wake-ups between processes.
    redis_url: SecretStr | None = Field(None, validation_alias=_own("REDIS_URL", "REDIS_URL"))
    redis_host: str | None = Field(None, validation_alias="REDIS_HOST")
    redis_port: int = Field(6379, validation_alias="REDIS_PORT")
    redis_db: int = Field(0, validation_alias="REDIS_DB")
    redis_password: SecretStr = Field(SecretStr(""), validation_alias="REDIS_PASSWORD")

    # People and keys.
    require_auth: bool = Field(True, validation_alias=_own("REQUIRE_AUTH", "REQUIRE_AUTH"))
    require_api_key: bool = Field(True, validation_alias=_own("REQUIRE_API_KEY", "REQUIRE_API_KEY"))
    platform_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("AUTOMATOS_API_KEY", "ORCHESTRATOR_API_KEY", "API_KEY")
    )
    clerk_secret_key: SecretStr | None = Field(None, validation_alias="CLERK_SECRET_KEY")
    clerk_publishable_key: str | None = Field(
        None, validation_alias=_own("CLERK_PUBLISHABLE_KEY", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY")
    )
    jwks_url: str | None = Field(None, validation_alias=_own("JWKS_URL", "CLERK_JWKS_URL"))
    jwt_issuer: str | None = Field(None, validation_alias=_own("JWT_ISSUER", "CLERK_ISSUER"))
    jwt_audience: str = Field("", validation_alias=_own("JWT_AUDIENCE", "CLERK_AUDIENCE"))
    jwt_key: SecretStr | None = Field(None, validation_alias=_own("JWT_KEY", "CLERK_JWT_KEY"))
    jwt_authorized_parties: Annotated[tuple[str, ...], NoDecode] = Field(
        (), validation_alias=_own("JWT_AUTHORIZED_PARTIES")
    )
    jwt_trust_email: bool = Field(False, validation_alias=_own("JWT_TRUST_EMAIL"))
    oidc_issuer: str | None = Field(None, validation_alias=_own("OIDC_ISSUER"))
    oidc_client_id: str | None = Field(None, validation_alias=_own("OIDC_CLIENT_ID"))
    oidc_client_secret: SecretStr | None = Field(None, validation_alias=_own("OIDC_CLIENT_SECRET"))
    oidc_scopes: str = Field("openid profile email", validation_alias=_own("OIDC_SCOPES"))
    oidc_name: str = Field("single sign-on", max_length=60, validation_alias=_own("OIDC_NAME"))
    clerk_api_url: str = Field("https://api.clerk.com", validation_alias=_own("CLERK_API_URL", "CLERK_API_URL"))
    admins: Annotated[tuple[str, ...], NoDecode] = Field((), validation_alias=_own("ADMINS"))
    workspace_id: UUID | None = Field(None, validation_alias=_own("WORKSPACE_ID", "WORKSPACE_ID"))
    default_tenant_id: UUID = Field(UUID(int=0), validation_alias=_own("DEFAULT_TENANT_ID", "DEFAULT_TENANT_ID"))
    session_days: int = Field(14, ge=1, le=365, validation_alias=_own("SESSION_DAYS"))
    share_platform_keys: bool | None = Field(None, validation_alias=_own("SHARE_PLATFORM_KEYS"))

    # Models.
    openai_api_key: SecretStr | None = Field(None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(None, validation_alias=AliasChoices("OPENAI_BASE_URL", "OPENAI_API_BASE"))
    anthropic_api_key: SecretStr | None = Field(None, validation_alias="ANTHROPIC_API_KEY")
    anthropic_base_url: str | None = Field(None, validation_alias="ANTHROPIC_BASE_URL")
    google_base_url: str | None = Field(None, validation_alias=AliasChoices("GOOGLE_BASE_URL", "GEMINI_BASE_URL"))
    xai_base_url: str | None = Field(None, validation_alias="XAI_BASE_URL")
    openrouter_base_url: str | None = Field(None, validation_alias="OPENROUTER_BASE_URL")
    mistral_base_url: str | None = Field(None, validation_alias="MISTRAL_BASE_URL")
    groq_base_url: str | None = Field(None, validation_alias="GROQ_BASE_URL")
    huggingface_base_url: str | None = Field(
        None, validation_alias=AliasChoices("HUGGINGFACE_BASE_URL", "HF_BASE_URL")
    )
    huggingface_api_key: SecretStr | None = Field(
        None, validation_alias=AliasChoices("HUGGINGFACE_API_KEY", "HF_TOKEN")
    )
    google_api_key: SecretStr | None = Field(None, validation_alias="GOOGLE_API_KEY")
    xai_api_key: SecretStr | None = Field(None, validation_alias="XAI_API_KEY")
    openrouter_api_key: SecretStr | None = Field(None, validation_alias="OPENROUTER_API_KEY")
    mistral_api_key: SecretStr | None = Field(None, validation_alias="MISTRAL_API_KEY")
    groq_api_key: SecretStr | None = Field(None, validation_alias="GROQ_API_KEY")
    default_llm_provider: str | None = Field(
        None, validation_alias=AliasChoices("DEFAULT_LLM_PROVIDER", "LLM_PROVIDER")
    )
    default_llm_model: str | None = Field(None, validation_alias=AliasChoices("DEFAULT_LLM_MODEL", "LLM_MODEL"))

    # Connected apps and objects.
    composio_api_key: SecretStr | None = Field(None, validation_alias="COMPOSIO_API_KEY")
    aws_access_key_id: SecretStr | None = Field(None, validation_alias="AWS_ACCESS_KEY_ID")
    aws_secret_access_key: SecretStr | None = Field(None, validation_alias="AWS_SECRET_ACCESS_KEY")
    aws_s3_bucket: str | None = Field(None, validation_alias="AWS_S3_BUCKET")
    aws_region: str = Field("us-east-1", validation_alias=AliasChoices("AWS_REGION", "AWS_DEFAULT_REGION"))
    aws_endpoint_url: str | None = Field(None, validation_alias=AliasChoices("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"))

    # Traces. What else OpenTelemetry's variables say, its own library reads.
    otel_endpoint: str | None = Field(None, validation_alias=AliasChoices(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"))
    otel_disabled: bool = Field(False, validation_alias="OTEL_SDK_DISABLED")
    otel_capture_content: str = Field("", validation_alias="OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT")

    # Limits of the HTTP surface.
    rate_limit: str = Field("60/minute", validation_alias=_own("RATE_LIMIT"))
    rate_limit_signed_in: str = Field("1200/minute", validation_alias=_own("RATE_LIMIT_SIGNED_IN"))
    rate_limit_widget: str = Field("120/minute", validation_alias=_own("RATE_LIMIT_WIDGET"))
    body_limit_bytes: int = Field(10 * 1024 * 1024, ge=1024, validation_alias=_own("BODY_LIMIT_BYTES"))
    upload_limit_bytes: int = Field(50 * 1024 * 1024, ge=1024, validation_alias=_own("UPLOAD_LIMIT_BYTES"))

    # Work.
    engine: str = Field(BUILT_IN, validation_alias=_own("ENGINE"))
    temporal_api_key: SecretStr | None = Field(None, validation_alias=_own("TEMPORAL_API_KEY"))
    temporal_ca_file: Path | None = Field(None, validation_alias=_own("TEMPORAL_CA_FILE"))
    temporal_cert_file: Path | None = Field(None, validation_alias=_own("TEMPORAL_CERT_FILE"))
    temporal_key_file: Path | None = Field(None, validation_alias=_own("TEMPORAL_KEY_FILE"))
    worker_concurrency: int = Field(64, ge=1, le=1000, validation_alias=_own("WORKER_CONCURRENCY"))
    worker_address: str | None = Field(None, validation_alias=_own("WORKER_ADDRESS"))
    lease_s: float = Field(10.0, ge=1.0, le=300.0, validation_alias=_own("LEASE_S"))
    workspace_files_mb: int = Field(2048, ge=256, le=2**30, validation_alias=_own("WORKSPACE_FILES_MB"))
    runs_kept_days: int | None = Field(None, ge=1, le=36_500, validation_alias=_own("RUNS_KEPT_DAYS"))
    heartbeat_enabled: bool = Field(True, validation_alias=_own("HEARTBEAT_ENABLED", "HEARTBEAT_ENABLED"))
    agent_idle_after_s: float = Field(300.0, ge=1.0, le=604_800.0, validation_alias=_own("AGENT_IDLE_AFTER_S"))
    agent_error_after_failures: int = Field(5, ge=1, le=1000, validation_alias=_own("AGENT_ERROR_AFTER_FAILURES"))
    allow_private_urls: bool = Field(False, validation_alias=_own("ALLOW_PRIVATE_URLS"))
    private_providers: Annotated[tuple[str, ...] | None, NoDecode] = Field(
        None, validation_alias=_own("PRIVATE_PROVIDERS")
    )
    cook_sample: bool = Field(True, validation_alias=_own("COOK_SAMPLE"))
    think_tags: bool = Field(True, validation_alias=_own("THINK_TAGS"))
    written_tool_calls: bool = Field(True, validation_alias=_own("WRITTEN_TOOL_CALLS"))
    demo_delay_ms: int = Field(25, ge=0, le=5000, validation_alias=_own("DEMO_DELAY_MS"))

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read what is given in code, then the environment as it is meant."""
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars = as_meant(env_settings.env_vars)
        return init_settings, env_settings

    @field_validator(
        "cors_allow_origins", "trusted_hosts", "trusted_proxies", "jwt_authorized_parties", "admins",
        "private_providers", mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return () if value.lower() == NONE else tuple(part.strip() for part in value.split(",") if part.strip())

    @field_validator("private_providers", mode="after")
    @classmethod
    def _plain_addresses(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for each in value or ():
            if not PRIVATE_ADDRESS.fullmatch(each):
                raise ValueError(f"{each[:200]!r} is not an address such as http://127.0.0.1:11434 (scheme, host, port "
                                 "or * for any port, and perhaps a path)")
        return value

    @field_validator("home", mode="after")
    @classmethod
    def _expand(cls, value: Path) -> Path:
        try:
            return value.expanduser().absolute()
        except (RuntimeError, OSError):  # a user without an entry and without HOME, or in a folder that is gone
            raise ValueError("no home directory is known for this user; set AUTOMATOS_HOME to a directory that the "
                             "server may write") from None

    @field_validator("aws_endpoint_url", mode="after")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "")
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("must be an address such as https://s3.example.com")
        return value or None

    @field_validator("worker_address", mode="after")
    @classmethod
    def _host_and_port(cls, value: str | None) -> str | None:
        host, _, port = (value or "").rpartition(":")
        if value and not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
            raise ValueError("must be a host and a port, such as 127.0.0.1:9464")
        return value or None

    @field_validator("engine", mode="after")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        found = TEMPORAL.fullmatch(value)
        if value != BUILT_IN and not (found and 0 < int(found[3]) < 65_536):
            raise ValueError(f"must be {BUILT_IN}, or the address of a Temporal server and its namespace, such as "
                             "temporal://temporal.example:7233/default, or temporal+tls:// where it is encrypted")
        return value

    @model_validator(mode="after")
    def _shows_temporal_nothing_in_the_clear(self) -> Self:
        shown = [name for name in ("api_key", "ca_file", "cert_file", "key_file") if getattr(self, f"temporal_{name}")]
        if shown and not self.engine.startswith("temporal+tls://"):
            raise ValueError(f"{OWN_PREFIX}TEMPORAL_{shown[0].upper()} is for an encrypted connection: write "
                             f"{OWN_PREFIX}ENGINE as temporal+tls://host:port/namespace, or unset it")
        if (self.temporal_cert_file is None) != (self.temporal_key_file is None):
            raise ValueError(f"{OWN_PREFIX}TEMPORAL_CERT_FILE and {OWN_PREFIX}TEMPORAL_KEY_FILE go together: set both, "
                             "or neither")
        return self

    @field_validator("base_path", mode="after")
    @classmethod
    def _bare_path(cls, value: str) -> str:
        path = value.strip().strip("/")
        if not path:
            return ""
        if not BASE_PATH.fullmatch(path):
            raise ValueError("must be a plain path such as /automatos: letters, digits, '-', '_', '.', '~' and '/'")
        return f"/{path}"

    @property
    def offered_private(self) -> tuple[str, ...]:
        """The addresses of providers in the operator's own network that workspaces may use.

        Where nobody signs in, the one user is the operator, and what model servers listen at by custom is theirs.
        """
        if self.private_providers is not None:
            return self.private_providers
        return () if self.require_auth else KNOWN_LOCAL_PROVIDERS

    @property
    def temporal(self) -> TemporalAddress | None:
        """The Temporal server that delivers jobs; None where the built-in engine does."""
        found = TEMPORAL.fullmatch(self.engine)
        return found and TemporalAddress(
            f"{found[2]}:{found[3]}", found[4], found[1] is not None, self.temporal_ca_file, self.temporal_cert_file,
            self.temporal_key_file, self.temporal_api_key)

    @property
    def sends_traces(self) -> bool:
        """Whether an OpenTelemetry collector is named, and traces are not switched off."""
        return self.otel_endpoint is not None and not self.otel_disabled

    @property
    def cookie_path(self) -> str:
        """The addresses of this host that are ours."""
        return self.base_path or "/"

    def outside_address(self, seen: str) -> str:
        """Return the address people open, without a slash at the end: the public one, else the one that was seen."""
        address = (self.public_url or seen).rstrip("/")
        return address if address.endswith(self.base_path) else address + self.base_path

    @property
    def external_database_url(self) -> str | None:
        """The configured PostgreSQL, DATABASE_URL first and POSTGRES_* second; None means the embedded server."""
        if self.database_url:
            return self.database_url.get_secret_value()
        if self.postgres_host:
            secret = quote(self.postgres_password.get_secret_value(), safe="")
            user = quote(self.postgres_user, safe="")
            host = f"[{self.postgres_host}]" if ":" in self.postgres_host else quote(self.postgres_host, safe="")
            return f"postgresql://{user}:{secret}@{host}:{self.postgres_port}/{quote(self.postgres_db, safe='')}"
        return None

    @property
    def direct_database_url(self) -> str | None:
        """The configured way past a pooler; None when there is no pooler or no other way."""
        return self.database_direct_url.get_secret_value() if self.database_direct_url else None

    @property
    def redis(self) -> str | None:
        """The configured Redis URL, REDIS_URL first and REDIS_* second; None means no Redis."""
        if self.redis_url:
            return self.redis_url.get_secret_value()
        if self.redis_host:
            secret = self.redis_password.get_secret_value()
            auth = f":{quote(secret, safe='')}@" if secret else ""
            return f"redis://{auth}{self.redis_host}:{self.redis_port}/{self.redis_db}"
        return None

    @property
    def is_production(self) -> bool:
        """Whether this server runs with ENVIRONMENT=production."""
        return self.environment == "production"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in {"127.0.0.1", "localhost", "::1"}


def known_variables() -> frozenset[str]:
    """Return the name of every environment variable that means something to this product."""
    names = set(READ_ELSEWHERE)
    for field in Settings.model_fields.values():
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        names.update(str(choice) for choice in choices if choice)
    return frozenset(names)


def kept_for_later(settings: Settings) -> list[tuple[str, str]]:
    """Return the variables that are set and that nothing uses yet, each with what it is for."""
    return [("COMPOSIO_API_KEY", "connected apps")] if settings.composio_api_key else []


def unknown_variables() -> list[str]:
    """Return the AUTOMATOS_ variables that are set and mean nothing, sorted: most are typing mistakes."""
    return sorted(name for name in os.environ if name.startswith(OWN_PREFIX) and name not in known_variables())


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return this process's settings, read from the environment once."""
    return Settings()  # pyright: ignore[reportCallIssue]
