"""Everything one process owns, opened and closed with its lifespan: an API, a worker, or both."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from prometheus_client import CollectorRegistry

from automatos.agents.service import OutcomeRecorder, Readiness, count_by_persona, users_of_skills
from automatos.credentials.service import Keyring, OfferedModels, providers_by_name
from automatos.durable import service as durable
from automatos.durable.service import Bus, Delivery, Worker, WorkerLease
from automatos.durable.types import LEASES, TEMPORAL
from automatos.entrypoints.health import HealthCheck
from automatos.entrypoints.limits import Counters, open_counters
from automatos.entrypoints.metrics import ProcessFigures, render
from automatos.entrypoints.statistics import Statistics
from automatos.entrypoints.tracing import SpanFigures, tracing
from automatos.events.metrics import RunMetrics
from automatos.heartbeats import jobs as heartbeats
from automatos.kernel.blobs import Blobs, open_store
from automatos.kernel.config import Settings
from automatos.kernel.confined import close_pool
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database
from automatos.kernel.http import Http
from automatos.kernel.otlp import OtlpTracer
from automatos.kernel.pooler import Pooler
from automatos.lifecycle import jobs as lifecycle
from automatos.lifecycle.auto_start import start_agents
from automatos.llm.service import ModelClient
from automatos.personas.types import AgentsOfPersonas
from automatos.recipes import jobs as recipes
from automatos.recipes.begin import RunsHere
from automatos.recipes.service import unfinished_executions
from automatos.recipes.team import RunDeps
from automatos.runtime.service import WorkspaceSkillLoader, account_for
from automatos.runtime.types import SkillLoader
from automatos.settings.types import WORD_SETTINGS
from automatos.skills import jobs as skills
from automatos.skills.types import SkillUsers
from automatos.tools.service import Toolbox
from automatos.workspaces.service import RequestAuthenticator

if TYPE_CHECKING:
    from automatos.agents.deps import AgentServices
    from automatos.credentials.router import CredentialServices
    from automatos.durable.deps import DurableServices
    from automatos.entrypoints.health import HealthServices
    from automatos.llm.parts import ModelServices
    from automatos.personas.deps import PersonaServices
    from automatos.recipes.deps import RecipeServices
    from automatos.runtime.deps import RuntimeServices
    from automatos.settings.deps import SettingServices
    from automatos.skills.deps import SkillServices
    from automatos.tools.deps import ToolServices
    from automatos.workspaces.authenticate import SignInServices
    from automatos.workspaces.carriers import AddressServices
    from automatos.workspaces.deps import WorkspaceServices

DEAF_S = 5.0
"""A connection that is lost and made again at once is nothing to tell anybody."""


class Services:
    """The parts of one process; making them connects to nothing and writes nothing, `running` does.

    Packages reach them by `kernel.services.services_of`; the parts below are there while they run.
    """

    vault: Vault
    keyring: Keyring
    offered: OfferedModels
    http: Http
    models: ModelClient
    toolbox: Toolbox
    outcomes: OutcomeRecorder
    worker: Worker | None = None
    tracer: OtlpTracer | None = None
    _accounting: asyncio.Task[int] | None = None

    def __init__(
        self, settings: Settings, database_url: str, *, role: str | None = None, works: bool = True
    ) -> None:
        self.settings = settings
        self.works = works
        told = settings.database_pooler
        self.database = Database(
            database_url, role=role, pool_size=settings.database_pool_size, echo=settings.sql_debug,
            pooler=None if told == "auto" else Pooler(told), direct_url=settings.direct_database_url)
        self.lease = WorkerLease(
            self.database, settings.lease_s, settings.worker_concurrency if works else 0,
            delivery=TEMPORAL if works and settings.temporal else LEASES)
        self.bus = Bus(self.database, self.lease, settings.redis)
        self.authenticator = RequestAuthenticator(self.database, settings)
        self.blobs: Blobs = open_store(settings)
        self.counters: Counters = open_counters(settings)
        self.runs_here: RunsHere | None = None
        self.registry = CollectorRegistry()
        self.statistics = Statistics(self.registry)
        self.bus.on_recorded(RunMetrics(self.registry).count)
        self.registry.register(SpanFigures(lambda: self.tracer))
        self.registry.register(ProcessFigures(self.database, settings.worker_concurrency, lambda: self.worker))
        self.health = HealthCheck(settings, self.database, self.blobs, self.lease.try_write)
        self.agents_of_personas: AgentsOfPersonas = count_by_persona
        self.skill_users: SkillUsers = users_of_skills
        self.setting_choices: Mapping[str, Sequence[str]] = {"providers": tuple(providers_by_name())}

    def skill_loader_of(self, workspace_id: UUID) -> SkillLoader:
        """Return what gives the skills of a workspace to its agents' runs."""
        return WorkspaceSkillLoader(self.database, self.toolbox, workspace_id)

    def metrics(self) -> bytes:
        """Return what this process counted and has at hand, in Prometheus's text format."""
        self.bus.tell_recorded()
        return render(self.registry)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Start every part in order; stop them in the opposite one, also those before a part that failed to start."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(close_pool)
            stack.push_async_callback(self.counters.close)
            stack.push_async_callback(self.database.close)
            await self.database.open()
            self.tracer = await stack.enter_async_context(tracing(self.settings, self.database, self.bus))
            self.http = Http.open()
            stack.push_async_callback(self.http.close)
            self.vault = Vault(self.settings)
            self.keyring = Keyring(self.database, self.vault, self.settings, self.bus)
            stack.push_async_callback(self.keyring.close)
            self.offered = OfferedModels(self.keyring, self.http)
            self.models = ModelClient.open(
                self.database, self.settings, self.http, self.keyring, self.lease.until_certain)
            stack.push_async_callback(self.models.close)
            self.bus.on_word(WORD_SETTINGS, self.models.forget_defaults)
            self.toolbox = Toolbox(self.settings, self.http, partial(unfinished_executions, self.database),
                                   self.lease.until_certain)
            await self.toolbox.open()
            delivery = await durable.open_delivery(
                self.settings.temporal if self.works else None, self.database, self.lease, self.bus)
            stack.push_async_callback(self.lease.stop)
            self.lease.on_burial(self._account_for_the_dead)
            await self.lease.start()
            stack.push_async_callback(self.bus.stop)
            await self.bus.start()
            self.outcomes = OutcomeRecorder(
                self.database, self.bus, error_after=self.settings.agent_error_after_failures)
            stack.push_async_callback(self.outcomes.close)
            if self.works:
                run_deps = RunDeps(self.database, self.bus, self.models, self.toolbox,
                                  self.settings.home / "executions", self.outcomes,
                                  partial(WorkspaceSkillLoader, self.database, self.toolbox))
                self.worker = self._hire(run_deps, delivery)
                self.runs_here = RunsHere(run_deps, self.worker)
                stack.push_async_callback(self.worker.stop)
                await self.worker.start()
                await start_agents(self.database, Readiness(self.models, self.toolbox), self.bus)
            self.health.add("engine", self._probe_engine, needed=True)
            if self.works and self.settings.temporal:
                self.health.add("delivery", delivery.probe, needed=False)
            self.health.add("wake_ups", self._probe_wake_ups, needed=False)
            self.health.add("sandbox", self._probe_sandbox, needed=False)
            yield

    def _hire(self, run_deps: RunDeps, delivery: Delivery) -> Worker:
        """Make the worker with every package's jobs."""
        handlers = {
            **recipes.handlers(run_deps), **lifecycle.handlers(self.database, self.bus),
            **heartbeats.handlers(self.database, self.bus),
        }
        periodic = (
            *recipes.periodic_tasks(run_deps, runs_kept_days=self.settings.runs_kept_days),
            *lifecycle.periodic_tasks(self.database, self.bus, idle_after_s=self.settings.agent_idle_after_s),
            *heartbeats.periodic_tasks(self.database, self.bus, is_enabled=self.settings.heartbeat_enabled),
            *skills.periodic_tasks(self.database, self.bus, self.http, allow_private=self.settings.allow_private_urls,
                           vault=self.vault),
        )
        return Worker(self.database, self.lease, self.bus, handlers, periodic=periodic, delivery=delivery)

    def _account_for_the_dead(self, alive_at: datetime) -> None:
        """Complete the usage ledger after a process that died: what it had recorded, it may not have accounted for."""
        self._accounting = asyncio.create_task(account_for(self.database, self.models, alive_at))

    async def _probe_engine(self) -> str:
        found = await durable.counts(self.database)
        if not found["executors"]:
            raise RuntimeError("no process has a lease")
        by = f", delivered by Temporal at {at.target}" if (at := self.settings.temporal) else ""
        return f"{found['executors']} processes, {found['running']} jobs running, {found['waiting']} waiting{by}"

    async def _probe_wake_ups(self) -> str | None:
        if not self.database.can_listen:
            return "Other processes' news are looked for: there is no direct address past the pooler"
        if self.bus.deaf_s > DEAF_S:
            raise RuntimeError("the connection that listens is being made again; until then everything is looked for")
        return None

    async def _probe_sandbox(self) -> str | None:
        reason = self.toolbox.off_reason("shell")
        return f"The shell tool is off: {reason}" if reason else None


if TYPE_CHECKING:

    def seen_by_packages(services: Services) -> tuple[
        AddressServices, AgentServices, CredentialServices, DurableServices, HealthServices, ModelServices,
        PersonaServices, RecipeServices, RuntimeServices, SettingServices, SignInServices, SkillServices, ToolServices,
        WorkspaceServices,
    ]:
        """Proof for the type checker: the services are what each package takes them for."""
        one = services
        return one, one, one, one, one, one, one, one, one, one, one, one, one, one
