"""Verbs of models: ask one, and say which one answers by default."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Literal, Self, TypeVar
from uuid import UUID

from automatos.credentials.service import Keyring, get_provider
from automatos.credentials.types import Provider, ProviderAccess
from automatos.kernel.config import Settings
from automatos.kernel.db import Database
from automatos.kernel.errors import DatabaseUnavailable, Problem
from automatos.kernel.http import Http
from automatos.llm.choices import check_choice, fallback_of, find_default, provider_by_model, provider_of_old
from automatos.llm.counting import usage_of_answer, usage_of_failure
from automatos.llm.errors import (
    AnswerRefused,
    CredentialMissing,
    FeatureRefused,
    ModelProblem,
    ModelTimeout,
    PromptTooLong,
    scrub,
)
from automatos.llm.naming import read_names
from automatos.llm.prices import KnownModel, PriceBook
from automatos.llm.providers import ProviderCall
from automatos.llm.providers.own_choices import OF_ONE_CALL
from automatos.llm.queries import forget_agent, forget_calls
from automatos.llm.question import AskAgain, Question, Route
from automatos.llm.types import (
    Answer,
    AnswerEnd,
    BeforeCall,
    CallContext,
    Completion,
    Cost,
    DefaultModel,
    FailedAttempt,
    Message,
    ModelChoice,
    ModelTraits,
    PriceSource,
    RecordedCall,
    ToolSpec,
    Usage,
    UsageRow,
    Window,
)
from automatos.llm.usage import UsageRecorder
from automatos.llm.wires import MAX_FEATURES, RefusedFeatures, open_wires

__all__ = ["ModelClient", "check_choice", "fallback_of", "forget_agent", "forget_calls", "prompt_size",
           "provider_by_model", "provider_of_old"]

RETRY_AFTER_CAP_S = 60.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 8.0
FIRST_MODEL_SHARE = 0.6
ATTEMPTS_PER_EPOCH = 1000
DEFAULT_S = 5.0
"""For how long a process goes by a default model when the word that another one was chosen does not reach it."""
MAX_DEFAULTS = 10_000
SAID = frozenset({"workspace_settings", "system_settings", "environment"})

Fault = TypeVar("Fault", bound=ModelProblem)


class ModelClient:
    """Asks models; one per process."""

    def __init__(self, *, settings: Settings, http: Http, keyring: Keyring, prices: PriceBook,
                 recorder: UsageRecorder, database: Database, until_certain: BeforeCall | None = None) -> None:
        self._until_certain = until_certain
        self._settings = settings
        self._sessions = {reach: http.session(allow_private=reach) for reach in (False, True)}
        self._keyring = keyring
        self._prices = prices
        self._recorder = recorder
        self._database = database
        self._refused = RefusedFeatures()
        self._wires = open_wires(settings)
        self._defaults: dict[UUID, tuple[ModelChoice, float]] = {}
        self._forgotten = 0

    @classmethod
    def open(cls, database: Database, settings: Settings, http: Http, keyring: Keyring,
             until_certain: BeforeCall | None = None) -> Self:
        """Make the client of this process, with a price book and a usage recorder of its own.

        `until_certain` is awaited before each request: it returns when this process may still do its work.
        The keyring learns to ask the settings for the names of credentials that people chose there.
        """
        keyring.ask_for_names(partial(read_names, database))
        return cls(settings=settings, http=http, keyring=keyring, prices=PriceBook(database),
                   recorder=UsageRecorder(database), database=database, until_certain=until_certain)

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

    async def default_choice(self, workspace_id: UUID) -> ModelChoice:
        """Return the model of `resolve_default` for a run; raises what that raises.

        What settings or the environment say is kept for at most five seconds, and `forget_defaults` drops it. What
        depends on the keys that there are is asked of the keyring, which keeps those itself.
        """
        kept, began = self._defaults.get(workspace_id), time.monotonic()
        if kept and began < kept[1]:
            return kept[0]
        forgotten = self._forgotten
        found = await self.resolve_default(workspace_id)
        if found.source in SAID and forgotten == self._forgotten:  # else it may be older than what was changed
            if len(self._defaults) >= MAX_DEFAULTS:
                self._defaults.clear()
            self._defaults[workspace_id] = found.choice, began + DEFAULT_S
        return found.choice

    def forget_defaults(self, _: str = "") -> None:
        """Ask the settings anew for the next run: somebody has changed them."""
        self._forgotten += 1
        self._defaults.clear()

    async def find_obstacle(self, workspace_id: UUID, choice: ModelChoice | None,
                            environment: str | None = None) -> str | None:
        """Say why a model (the default when None) could not be asked now, None when nothing stands in the way.

        A database that is away says nothing about a model: that is raised.
        """
        try:
            choice = choice or (await self.resolve_default(workspace_id)).choice
            await self._access_for(get_provider(choice.provider), choice,
                                   CallContext(workspace_id, environment=environment))
        except DatabaseUnavailable:
            raise
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

    async def window(self, choice: ModelChoice) -> Window:
        """Return how much can be asked of a choice: of its model or its fallback, whichever reads more at once."""
        window = (await self._known(choice)).window
        fallback = fallback_of(choice) if choice.fallback_model_id else None
        if fallback is None:
            return window
        return max(window, (await self._known(fallback)).window, key=lambda each: each.chars)

    async def _known(self, choice: ModelChoice) -> KnownModel:
        """Return what the catalogue knows of a model; the book is asked only where it would have to look."""
        key = choice.provider, choice.model_id
        if time.monotonic() < self._prices.fresh_until and (known := self._prices.ready.get(key)):
            return known
        return await self._prices.prepare(*key)

    async def complete(self, choice: ModelChoice, messages: Sequence[Message], tools: Sequence[ToolSpec],
                       context: CallContext, *, on_delta: Callable[[str], None] | None, deadline_s: float,
                       retries: int, on_restart: Callable[[], None] | None = None, may_call_tools: bool = True,
                       on_failed: Callable[[FailedAttempt], None] | None = None,
                       before_pause: Callable[[], Awaitable[None]] | None = None,
                       pause_s: Callable[[int], float] | None = None,
                       on_reasoning: Callable[[str], None] | None = None) -> Completion:
        """Ask a model and return its complete answer, handing its text to `on_delta` as it comes.

        `on_reasoning` is handed what can be read of its reasoning, which is no part of the text.

        Everything, retries and fallback too, ends within `deadline_s`. `retries` is the budget of further requests for
        the model and its fallback together: refusals that pass are asked again as long as it lasts. When it is used up,
        and when the model is dead or too slow, the fallback model of the choice is asked. A request that is asked again
        without a feature the model refused costs nothing of the budget. When text was already handed over, asking again
        happens only if `on_restart` is given, and it is called first. `may_call_tools=False` names the tools only to
        explain the calls in the conversation. Cancelling the task closes the socket.

        Every request is written to the usage ledger. `on_failed` is told of each that gave no answer, also when the
        call is cancelled; `before_pause` is awaited before each pause and before the fallback, and `pause_s` says how
        long the pause after a failure (counted from 1) is where the provider does not.

        Raises:
            PromptTooLong: it is more than the model, or its fallback, reads at once; nothing was sent.
            ModelProblem: there is no complete answer; see `llm.errors` for the kinds.
            UnknownProvider: the choice names a provider that does not exist.
        """
        question = Question(messages, tools, context, on_delta, on_restart, retries,
                             attempt=context.epoch * ATTEMPTS_PER_EPOCH, may_call_tools=may_call_tools,
                             on_failed=on_failed, before_pause=before_pause, pause_s=pause_s,
                             on_reasoning=on_reasoning)
        fallback = fallback_of(choice) if choice.fallback_model_id else None
        if self._until_certain:
            await self._until_certain()  # what waits for our own standing is no fault of the model
        started_at = _now_s()
        first = Route(choice, "success", started_at + deadline_s * (FIRST_MODEL_SHARE if fallback else 1.0),
                       has_next=fallback is not None)
        try:
            return await self._ask(first, question)
        except ModelProblem as problem:
            if fallback is None or not problem.is_worth_fallback or not question.may_ask_again():
                raise
        question.start_over()
        if before_pause:
            await before_pause()
        return await self._ask(Route(fallback, "fallback", started_at + deadline_s), question)

    async def _ask(self, route: Route, question: Question) -> Completion:
        """Ask one model until it answers, refuses for good, or the time is over."""
        provider = get_provider(route.choice.provider)
        scope = asyncio.timeout_at(route.ends_at)
        try:
            async with scope:
                access = await self._access_for(provider, route.choice, question.context)
                known, size = await self._known(route.choice), prompt_size(question.messages, question.tools)
                if size > known.window.chars:
                    raise PromptTooLong(known.window, size)
                while True:
                    question.attempt += 1
                    try:
                        return await self._ask_once(route, access, known.traits, question)
                    except AskAgain as again:
                        pause_s = again.pause_s
                    question.start_over()
                    if question.before_pause and pause_s is not None:
                        await question.before_pause()
                    await asyncio.sleep(pause_s or 0.0)
        except TimeoutError:
            if not scope.expired():
                raise
        raise _fault(ModelTimeout, route.choice, f"{provider.display_name} did not finish its answer in time.")

    def _adapts(self, problem: ModelProblem, call: ProviderCall, account: str, question: Question) -> bool:
        """Remember a refused feature; says whether asking without it is something new."""
        if not isinstance(problem, FeatureRefused) or problem.features <= call.refused:
            return False
        question.refused |= problem.features & OF_ONE_CALL
        known = self._refused.add(account, call.choice.model_id, (call.refused | problem.features) - OF_ONE_CALL)
        return len(known) <= MAX_FEATURES

    async def _access_for(self, provider: Provider, choice: ModelChoice, context: CallContext) -> ProviderAccess:
        access = await self._keyring.find_access(context.workspace_id, provider.name, context.environment,
                                                 context.request_type)
        if access is None:
            if provider.needs_key:
                raise _fault(CredentialMissing, choice, f"There is no key for {provider.display_name}.")
            access = self._keyring.without_key(provider)
        if not access.base_url and provider.wire != "demo":
            raise _fault(CredentialMissing, choice, f"There is no base URL for {provider.display_name}.")
        return access

    async def _ask_once(
        self, route: Route, access: ProviderAccess, traits: ModelTraits, question: Question
    ) -> Completion:
        """Make one request and write it to the ledger, however it ends; raises AskAgain when another may follow."""
        choice, account, context = route.choice, str(access.credential_id or access.base_url), question.context
        call = ProviderCall(
            self._sessions[access.allow_private], access.provider, access.base_url,
            access.key.reveal(), choice, question.messages, question.tools,
            f"{context.run_id}:{context.turn}" if context.run_id else None,  # the same whenever a turn is asked again
            question.may_call_tools, self._refused.of(account, choice.model_id) | question.refused,
            traits=traits,
            on_reasoning=question.tell_reasoning if question.on_reasoning else None,
            before_sending=self._until_certain,
        )
        began = time.perf_counter()
        try:
            answer = await self._wires.choose(call).stream(call, question.tell)
            if answer.end is AnswerEnd.REFUSED:
                raise _fault(AnswerRefused, choice, f"The model declined: {scrub(answer.text)!r}.")
        except ModelProblem as problem:
            if self._adapts(problem, call, account, question):
                self._note(route, question, call, began, access.credential_id, "error", _words(problem))
                raise AskAgain(None) from problem
            pause_s = self._pause_after(problem, route, question)
            self._note(route, question, call, began, access.credential_id, "error", _words(problem), problem, pause_s)
            if pause_s is None:
                raise
            question.failures += 1
            raise AskAgain(pause_s) from problem
        except asyncio.CancelledError:
            if _now_s() >= route.ends_at:
                late = _fault(ModelTimeout, choice, "The answer did not end in time.")
                self._note(route, question, call, began, access.credential_id, "error", ModelTimeout.code, late)
            else:
                self._note(route, question, call, began, access.credential_id, "cancelled", None)
            raise
        return self._completion(route, question, answer, call, began, access.credential_id)

    def _pause_after(self, problem: ModelProblem, route: Route, question: Question) -> float | None:
        """Return after how many seconds the model is asked again, None when asking again is no use."""
        if not (problem.is_retryable and question.retries_left > 0 and question.may_ask_again()):
            return None
        pause_s = _pause_s(problem, question)
        return None if _now_s() + pause_s >= route.ends_at else pause_s

    def _completion(self, route: Route, question: Question, answer: Answer, call: ProviderCall, began: float,
                    credential_id: UUID | None) -> Completion:
        choice, latency_ms = route.choice, _ms_since(began)
        usage = usage_of_answer(answer, call.progress)
        cost = self._prices.cost(choice.provider, choice.model_id, usage)
        self._recorder.record(UsageRow(question.context, choice.provider, choice.model_id, question.attempt,
                                       route.status, usage, cost, latency_ms, credential_id=credential_id))
        return Completion(answer.text, answer.tool_calls, usage, choice.provider, choice.model_id, answer.finish_reason,
                          latency_ms, cost.total_micro_usd if cost else None, route.status, question.attempt,
                          answer.end, answer.reasoning, answer.items, tuple(sorted(call.refused)),
                          answer.calls_from_text)

    def _note(self, route: Route, question: Question, call: ProviderCall, began: float, credential_id: UUID | None,
              status: Literal["error", "cancelled"], message: str | None, problem: ModelProblem | None = None,
              pause_s: float | None = None) -> None:
        """Write a request that gave no answer to the ledger, with what it used, and tell who waits for the answer."""
        choice, latency_ms, usage = route.choice, _ms_since(began), usage_of_failure(call.progress)
        cost = self._prices.cost(choice.provider, choice.model_id, usage) if usage.total_tokens else Cost(0, 0)
        self._recorder.record(UsageRow(question.context, choice.provider, choice.model_id, question.attempt, status,
                                       usage, cost, latency_ms=latency_ms, error_message=message,
                                       credential_id=credential_id))
        if question.on_failed is None or (problem is None and status == "error"):
            return
        falls_back = pause_s is None and route.has_next and problem is not None and problem.is_worth_fallback \
            and question.may_ask_again()
        question.on_failed(FailedAttempt(
            choice.provider, choice.model_id, question.failures + 1, question.retries + 1, status,
            problem.code if problem else "cancelled", problem.detail if problem else "The call was cancelled.",
            call.progress.status, usage, cost.total_micro_usd if cost else None, latency_ms,
            "fallback" if falls_back else "nothing" if pause_s is None else "again", pause_s))

    async def account_again(self, context: CallContext, call: RecordedCall) -> None:
        """Write the ledger's row of a call that a process recorded and did not live to account for.

        A row that is there already stays as it is: the row's key is the call's run, turn and attempt.
        """
        await self._prices.prepare(call.provider, call.model_id)
        cost = self._prices.cost(call.provider, call.model_id, call.usage)
        self._recorder.record(UsageRow(context, call.provider, call.model_id, call.attempt, call.status, call.usage,
                                       cost, call.latency_ms))


def prompt_size(messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> int:
    """Return how many characters of a request are read as text at least; nothing is joined for it."""
    said = sum(len(one.content) + sum(len(call.arguments) for call in one.tool_calls) for one in messages)
    return said + sum(len(tool.name) + len(tool.description) for tool in tools)


def _fault(kind: type[Fault], choice: ModelChoice, what: str) -> Fault:
    return kind(what, provider=choice.provider, model_id=choice.model_id)


def _words(problem: ModelProblem) -> str:
    return f"{problem.code}: {problem.detail}"


def _pause_s(problem: ModelProblem, question: Question) -> float:
    """Return how long to wait: as the provider asked, up to a minute; else as the caller says; else doubling."""
    if problem.retry_after_s is not None:
        return min(problem.retry_after_s, RETRY_AFTER_CAP_S)
    if question.pause_s:
        return question.pause_s(question.failures + 1)
    return min(FIRST_PAUSE_S * 2 ** question.failures, LONGEST_PAUSE_S) * random.uniform(0.5, 1.0)  # noqa: S311


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _ms_since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
