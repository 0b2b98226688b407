"""Verbs of models: ask one, and say which one answers by default."""

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Self, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.credentials.service import Keyring, find_provider, get_provider
from automatos.credentials.types import Provider, Secret
from automatos.kernel.config import Settings
from automatos.kernel.db import Database
from automatos.kernel.errors import Problem
from automatos.kernel.http import Http
from automatos.llm import queries
from automatos.llm.choices import faults_of
from automatos.llm.defaults import find_default
from automatos.llm.errors import CredentialMissing, ModelProblem, ModelTimeout, SamplingRefused
from automatos.llm.naming import read_names
from automatos.llm.prices import PriceBook
from automatos.llm.providers import ModelProvider, ProviderCall
from automatos.llm.providers.anthropic import AnthropicProvider
from automatos.llm.providers.demo import DemoProvider
from automatos.llm.providers.openai import OpenAIProvider
from automatos.llm.types import (
    FALLBACK_SEPARATOR,
    Answer,
    CallContext,
    Completion,
    CompletionStatus,
    Cost,
    DefaultModel,
    Message,
    ModelChoice,
    PriceSource,
    RecordedCall,
    ToolSpec,
    Usage,
    UsageRow,
    UsageStatus,
)
from automatos.llm.usage import UsageRecorder

RETRY_AFTER_CAP_S = 60.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
FIRST_MODEL_SHARE = 0.6
ATTEMPTS_PER_EPOCH = 1000
MAX_REMEMBERED = 1000

Fault = TypeVar("Fault", bound=ModelProblem)


@dataclass(slots=True)
class _Question:
    """What is asked, and what has already been told of the answer."""

    messages: Sequence[Message]
    tools: Sequence[ToolSpec]
    context: CallContext
    on_delta: Callable[[str], None] | None
    on_restart: Callable[[], None] | None
    retries: int
    attempt: int
    may_call_tools: bool
    has_told: bool = False

    def tell(self, text: str) -> None:
        """Hand on a piece of the answer."""
        if self.on_delta:
            self.has_told = True
            self.on_delta(text)

    def may_ask_again(self) -> bool:
        """Say whether asking again cannot leave the reader with two beginnings."""
        return not self.has_told or self.on_restart is not None

    def start_over(self) -> None:
        """Tell the reader that what it was told is void."""
        if self.has_told and self.on_restart:
            self.on_restart()
        self.has_told = False


@dataclass(frozen=True, slots=True)
class _Route:
    """One model to ask, what its answer counts as, and until when (the event loop's clock)."""

    choice: ModelChoice
    status: CompletionStatus
    ends_at: float


class ModelClient:
    """Asks models; one per process."""

    def __init__(self, *, settings: Settings, http: Http, keyring: Keyring, prices: PriceBook,
                 recorder: UsageRecorder, database: Database) -> None:
        self._settings = settings
        self._http = http
        self._keyring = keyring
        self._prices = prices
        self._recorder = recorder
        self._database = database
        self._fixed: set[tuple[str, str]] = set()
        self._wires: dict[str, ModelProvider] = {
            "openai": OpenAIProvider(), "anthropic": AnthropicProvider(), "demo": DemoProvider(settings.demo_delay_ms),
        }

    @classmethod
    def open(cls, database: Database, settings: Settings, http: Http, keyring: Keyring) -> Self:
        """Make the client of this process, with a price book and a usage recorder of its own.

        The keyring learns to ask the settings for the names of credentials that people chose there.
        """
        keyring.ask_for_names(partial(read_names, database))
        return cls(settings=settings, http=http, keyring=keyring, prices=PriceBook(database),
                   recorder=UsageRecorder(database), database=database)

    async def close(self) -> None:
        """Write the last usage rows; calls must have ended or been cancelled before."""
        await self._recorder.close()

    async def flush_usage(self) -> None:
        """Wait until the usage rows of all finished calls are written."""
        await self._recorder.flush()

    async def resolve_default(self, workspace_id: UUID, service: str = "orchestrator") -> DefaultModel:
        """Return the model that answers in a workspace for agents that name none, and what decided it.

        In order: workspace settings, system settings, environment, the first provider with a key, the demo. `service`
        is the part of the product that asks; some have a category of settings of their own.

        Raises:
            UnknownProvider, UnknownModel: settings name a provider that does not exist or name no model of it.
        """
        return await find_default(self._database, self._settings, self._keyring, workspace_id, service)

    async def find_obstacle(self, workspace_id: UUID, choice: ModelChoice | None,
                            environment: str | None = None) -> str | None:
        """Say why a model (the default when None) could not be asked now, None when nothing stands in the way."""
        try:
            choice = choice or (await self.resolve_default(workspace_id)).choice
            await self._secret_for(get_provider(choice.provider), choice,
                                   CallContext(workspace_id, environment=environment))
        except Problem as problem:
            return problem.detail
        return None

    def forget_prices(self) -> None:
        """Read the catalogue's prices anew with the next call; other processes do so within seconds."""
        self._prices.forget()

    async def estimate(self, provider: str, model_id: str, usage: Usage) -> tuple[Cost | None, PriceSource]:
        """Return what a call that uses so much would cost, and whose price that is; the cost is None when unknown."""
        await self._prices.prepare(provider, model_id)
        return self._prices.cost(provider, model_id, usage), self._prices.source(provider, model_id)

    async def complete(self, choice: ModelChoice, messages: Sequence[Message], tools: Sequence[ToolSpec],
                       context: CallContext, *, on_delta: Callable[[str], None] | None, deadline_s: float,
                       retries: int, on_restart: Callable[[], None] | None = None,
                       may_call_tools: bool = True) -> Completion:
        """Ask a model and return its complete answer, handing its text to `on_delta` as it comes.

        Everything, retries and fallback too, ends within `deadline_s`. Refusals that pass are asked again up to
        `retries` times; then, and when the model is dead or too slow, the fallback model of the choice is asked once
        in the same way. When text was already handed over, that happens only if `on_restart` is given, and it is
        called first. `may_call_tools=False` names the tools only to explain the calls in the conversation. Cancelling
        the task closes the socket. Every attempt is written to the usage ledger.

        Raises:
            ModelProblem: there is no complete answer; see `llm.errors` for the kinds.
            UnknownProvider: the choice names a provider that does not exist.
        """
        question = _Question(messages, tools, context, on_delta, on_restart, retries,
                             attempt=context.epoch * ATTEMPTS_PER_EPOCH, may_call_tools=may_call_tools)
        fallback = fallback_of(choice)
        started_at = _now_s()
        first = _Route(choice, "success", started_at + deadline_s * (FIRST_MODEL_SHARE if fallback else 1.0))
        try:
            return await self._ask(first, question)
        except ModelProblem as problem:
            if fallback is None or not problem.is_worth_fallback or not question.may_ask_again():
                raise
        question.start_over()
        return await self._ask(_Route(fallback, "fallback", started_at + deadline_s), question)

    async def _ask(self, route: _Route, question: _Question) -> Completion:
        """Ask one model until it answers, refuses for good, or the time is over."""
        provider = get_provider(route.choice.provider)
        scope = asyncio.timeout_at(route.ends_at)
        try:
            async with scope:
                secret = await self._secret_for(provider, route.choice, question.context)
                if (provider.name, route.choice.model_id) in self._fixed:
                    route = _without_sampling(route)
                await self._prices.prepare(provider.name, route.choice.model_id)
                for tries in itertools.count():
                    question.attempt += 1
                    try:
                        return await self._ask_once(route, secret, question)
                    except ModelProblem as problem:
                        route, pause_s = self._next(route, problem, question, tries)
                    question.start_over()
                    await asyncio.sleep(pause_s)
        except TimeoutError:
            if not scope.expired():
                raise
        raise _fault(ModelTimeout, route.choice, f"{provider.display_name} did not finish its answer in time.")

    def _next(self, route: _Route, problem: ModelProblem, question: _Question, tries: int) -> tuple[_Route, float]:
        """Return what to ask next and after how many seconds; raises the problem when asking again is no use."""
        if isinstance(problem, SamplingRefused) and (plain := _without_sampling(route)) != route:
            if len(self._fixed) >= MAX_REMEMBERED:
                self._fixed.clear()
            self._fixed.add((route.choice.provider, route.choice.model_id))
            return plain, 0.0
        pause_s = _pause_s(problem, tries)
        if not _may_retry(problem, question, tries) or _now_s() + pause_s >= route.ends_at:
            raise problem
        return route, pause_s

    async def _secret_for(self, provider: Provider, choice: ModelChoice, context: CallContext) -> Secret:
        secret = await self._keyring.find_secret(context.workspace_id, provider.name, context.environment,
                                                 context.request_type)
        if secret is None:
            if provider.needs_key:
                raise _fault(CredentialMissing, choice, f"There is no key for {provider.display_name}.")
            secret = Secret(provider, "", provider.base_url or "", "none", allow_private=provider.is_local)
        if not secret.base_url and provider.wire != "demo":
            raise _fault(CredentialMissing, choice, f"There is no base URL for {provider.display_name}.")
        return secret

    async def _ask_once(self, route: _Route, secret: Secret, question: _Question) -> Completion:
        """Make one call and write it to the ledger, however it ends."""
        call = ProviderCall(
            self._http.session(allow_private=secret.allow_private), secret.provider, secret.base_url, secret.value,
            route.choice, question.messages, question.tools, question.context.idempotency_key,
            question.may_call_tools,
        )
        began = time.perf_counter()
        note = partial(self._note_failure, route, question, began, secret.credential_id)
        try:
            answer = await self._wires[secret.provider.wire].stream(call, question.tell)
        except ModelProblem as problem:
            note("error", f"{problem.code}: {problem.detail}")
            raise
        except asyncio.CancelledError:
            if _now_s() >= route.ends_at:
                note("error", ModelTimeout.code)
            else:
                note("cancelled", None)
            raise
        return self._completion(route, question, answer, began, secret.credential_id)

    def _completion(self, route: _Route, question: _Question, answer: Answer, began: float,
                    credential_id: UUID | None) -> Completion:
        choice, latency_ms = route.choice, _ms_since(began)
        cost = self._prices.cost(choice.provider, choice.model_id, answer.usage)
        usage = answer.usage or Usage()
        self._recorder.record(UsageRow(question.context, choice.provider, choice.model_id, question.attempt,
                                       route.status, usage, cost, latency_ms, credential_id=credential_id))
        return Completion(answer.text, answer.tool_calls, usage, choice.provider, choice.model_id, answer.finish_reason,
                          latency_ms, cost.total_micro_usd if cost else None, route.status, question.attempt,
                          answer.end, answer.reasoning, answer.items)

    async def account_again(self, context: CallContext, call: RecordedCall) -> None:
        """Write the ledger's row of a call that a process recorded and did not live to account for.

        A row that is there already stays as it is: the row's key is the call's run, turn and attempt.
        """
        await self._prices.prepare(call.provider, call.model_id)
        cost = self._prices.cost(call.provider, call.model_id, call.usage)
        self._recorder.record(UsageRow(context, call.provider, call.model_id, call.attempt, call.status, call.usage,
                                       cost, call.latency_ms))

    def _note_failure(self, route: _Route, question: _Question, began: float, credential_id: UUID | None,
                      status: UsageStatus, message: str | None) -> None:
        self._recorder.record(UsageRow(question.context, route.choice.provider, route.choice.model_id, question.attempt,
                                       status, latency_ms=_ms_since(began), error_message=message,
                                       credential_id=credential_id))


async def check_choice(where: AsyncSession | Database, choice: ModelChoice) -> list[str]:
    """Return in whole sentences what is wrong with a choice of model, before anybody is asked; empty when nothing is.

    Unknown providers and settings outside of what the catalogue allows are faults; a model that the catalogue does
    not have is none.
    """
    if isinstance(where, Database):
        async with where.session(None) as session:
            return await check_choice(session, choice)
    return faults_of(choice, await queries.find_model_named(where, choice.provider, choice.model_id))


def _fault(kind: type[Fault], choice: ModelChoice, what: str) -> Fault:
    return kind(what, provider=choice.provider, model_id=choice.model_id)


def fallback_of(choice: ModelChoice) -> ModelChoice | None:
    """Return the model that is asked when a choice's first fails: of the same provider, or `provider:model`."""
    named = choice.fallback_model_id
    if not named:
        return None
    provider, separator, model_id = named.partition(FALLBACK_SEPARATOR)
    if not (separator and find_provider(provider)):
        provider, model_id = choice.provider, named
    if (provider, model_id) == (choice.provider, choice.model_id):
        return None
    return replace(choice, provider=provider, model_id=model_id, fallback_model_id=None)


def _without_sampling(route: _Route) -> _Route:
    """Return the route with no sampling settings, for models that take only their own."""
    return replace(route, choice=replace(route.choice, temperature=None, top_p=None, frequency_penalty=None,
                                         presence_penalty=None))


def _may_retry(problem: ModelProblem, question: _Question, tries: int) -> bool:
    return problem.is_retryable and tries < question.retries and question.may_ask_again()


def _pause_s(problem: ModelProblem, tries: int) -> float:
    """Return how long to wait: as the provider asked, up to a minute; else doubling, with jitter."""
    if problem.retry_after_s is not None:
        return min(problem.retry_after_s, RETRY_AFTER_CAP_S)
    return min(FIRST_PAUSE_S * 2 ** tries, LONGEST_PAUSE_S) * random.uniform(0.5, 1.0)  # noqa: S311


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _ms_since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
