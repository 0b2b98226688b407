"""The team of an execution: its agents made ready, each with its limits, its tools and what it works with."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from automatos.agents.service import load_for_run
from automatos.agents.types import PRIORITIES, AgentSpec, AgentStatus, Outcomes
from automatos.durable.types import EventBus
from automatos.kernel.db import Database
from automatos.llm.service import ModelClient
from automatos.llm.types import ModelChoice, Window
from automatos.recipes.definition import patterns_named
from automatos.recipes.errors import AgentGone, PatternGone
from automatos.recipes.state import ExecutionState, StepState
from automatos.recipes.types import NOBODY, Step
from automatos.runs.service import RunBudget
from automatos.runtime.service import AgentDeps, AgentFactory, AgentRuntime, RunNotes
from automatos.runtime.types import DEFAULT_MAX_TOKENS, Limits, RunInput, SkillLoader
from automatos.skills.service import words_of_patterns
from automatos.tools.service import Toolbox
from automatos.tools.types import Effect, ResourceLimits


@dataclass(frozen=True)
class RunDeps:
    """What cooking needs of this process; `skill_loader_of` gives the skills of a workspace's agents."""

    database: Database
    bus: EventBus
    client: ModelClient
    toolbox: Toolbox
    folders: Path
    outcomes: Outcomes
    skill_loader_of: Callable[[UUID], SkillLoader]


class Team:
    """The agents of one execution and the words of its patterns, as they were when this process took it over."""

    def __init__(self, run_deps: RunDeps, state: ExecutionState, agents: Mapping[int, AgentSpec],
                 patterns: Mapping[str, str], find_default_model: Callable[[], Awaitable[ModelChoice]]) -> None:
        self._run_deps = run_deps
        self._state = state
        self._agents = agents
        self._patterns = patterns
        self._factory = AgentFactory(run_deps.toolbox, find_default_model, run_deps.skill_loader_of(state.workspace_id))
        self._runtimes: dict[int, AgentRuntime] = {}

    @property
    def idle(self) -> list[int]:
        """The agents that had nothing to do until now."""
        return [agent.id for agent in self._agents.values() if agent.status is AgentStatus.IDLE]

    def member(self, agent_id: int) -> AgentSpec:
        """Return an agent; raises AgentGone when it was deleted."""
        if agent_id not in self._agents:
            raise AgentGone(agent_id)
        return self._agents[agent_id]

    def pattern_of(self, step: Step) -> str:
        """Return the words of the pattern that a step names, if any; raises PatternGone when it was deleted."""
        if step.pattern_slug is None:
            return ""
        if step.pattern_slug not in self._patterns:
            raise PatternGone(step.step_id, step.pattern_slug)
        return self._patterns[step.pattern_slug]

    def priority(self, agent_id: int) -> int:
        """Return how much an agent's work matters, as the queue orders it; a deleted one's step just has to end."""
        return PRIORITIES[self._agents[agent_id].settings.priority_level] if agent_id in self._agents else 1

    def notes(self, agent_id: int) -> RunNotes:
        """Return where the log of an agent's runs is written."""
        return self._runtime(agent_id).notes

    def max_retries(self, step: Step) -> int:
        """Return how often a step is tried again: the step says, else the recipe, else the agent."""
        return _first(step.max_retries, self._state.definition.config.max_retries,
                      self.member(step.agent_id).settings.retry_attempts)

    def retries_left(self, record: StepState) -> int:
        """Return how often a step may still be tried again, by whoever tries: its attempts are one account."""
        return max(self.max_retries(record.step) + 1 - record.attempt, 0)

    def fails_when_cut_off(self, step: Step) -> bool:
        """Say whether an answer that was cut off fails the step; the step says, else the recipe."""
        return (step.on_cut_off or self._state.definition.config.on_cut_off) == "stop"

    def timeout_s(self, step: Step) -> float:
        """Return how long one try of a step may take, in seconds; the step says, else the recipe, else the agent."""
        return _first(step.timeout_s, self._state.definition.config.per_step_timeout_s,
                      self.member(step.agent_id).settings.timeout_seconds)

    async def window(self, step: Step) -> tuple[Window, int]:
        """Return how much the model of a step's agent reads at once, and how many characters the agent itself takes."""
        runtime = self._runtime(step.agent_id)
        return await self._run_deps.client.window(await runtime.model()), await runtime.size()

    async def open(self, step: Step, prompt: str, window: Window) -> RunInput:
        """Return what a step's run starts from; a step that only reads is offered no tool that changes anything."""
        runtime = self._runtime(step.agent_id)
        run_input = await runtime.open(prompt, self._limits(step), window)
        if not step.read_only:
            return run_input
        return replace(run_input, tools=tuple(name for name in run_input.tools if self._only_reads(name, runtime)))

    def deps(self, record: StepState, timeout_s: float, is_paused: Callable[[], bool]) -> AgentDeps:
        """Return what a step's agent works with; its requests to models and the step share one budget of attempts."""
        state, runtime = self._state, self._runtime(record.step.agent_id)
        agent = runtime.agent
        folder = self._run_deps.folders / str(state.workspace_id) / str(state.id)
        return AgentDeps(
            self._run_deps.client, self._run_deps.toolbox, folder, timeout_s, timeout_s,
            handed=runtime.handed, limits=_resources(agent),
            environment=agent.settings.environment, request_type=state.kind, notes=runtime.notes,
            is_paused=is_paused, retries_left=lambda: self.retries_left(record),
            pause_s=lambda _: state.definition.config.delay_s(record.attempt),
            tokens_of_failures=lambda: record.tokens_of_failures, budget=self._budget(record),
        )

    def _budget(self, record: StepState) -> RunBudget | None:
        """Return what a step takes its requests' tokens of; in a line that no run is above of nobody else uses any, so
        its own count is enough.
        """
        state = self._state
        return RunBudget(
            self._run_deps.database, state.workspace_id, state.id, record.step.order, state.epoch,
            state.definition.config.max_total_tokens) if self._is_shared else None

    @property
    def _is_shared(self) -> bool:
        """Whether steps at once, or those of other runs, use the same tokens."""
        state = self._state
        is_limited = state.definition.config.max_total_tokens is not None
        return (is_limited and state.definition.is_graph) or bool((state.parent or {}).get("is_budgeted"))

    def _runtime(self, agent_id: int) -> AgentRuntime:
        if agent_id not in self._runtimes:
            self._runtimes[agent_id] = self._factory.activate_agent(self.member(agent_id))
        return self._runtimes[agent_id]

    def _limits(self, step: Step) -> Limits:
        turns = _first(step.max_iterations, self.member(step.agent_id).settings.max_iterations)
        tokens = self._state.definition.config.max_total_tokens
        if tokens is None or self._is_shared:
            return Limits(turns, DEFAULT_MAX_TOKENS)
        return Limits(turns, max(tokens - self._state.input_tokens - self._state.output_tokens, 0))

    def _only_reads(self, name: str, runtime: AgentRuntime) -> bool:
        handed = runtime.handed.get(name)
        effect = handed.effect if handed else self._run_deps.toolbox.effect_of(name)
        return effect is Effect.READ


async def find_team(
    run_deps: RunDeps, state: ExecutionState, steps: Sequence[StepState], specs: Sequence[AgentSpec] | None = None
) -> Team:
    """Return the agents and patterns of these steps as they are now, and give the steps their agents' names.

    `specs` are the agents where they were read a moment ago.
    """
    named = [step.step for step in steps]
    if specs is None:
        agent_ids = dict.fromkeys(step.agent_id for step in named if step.agent_id != NOBODY)
        specs = await load_for_run(run_deps.database, state.workspace_id, agent_ids)
    patterns = await _patterns_of(run_deps.database, state.workspace_id, named)
    agents = {spec.id: spec for spec in specs}
    for step in steps:
        spec = agents.get(step.step.agent_id)
        step.agent_name = step.agent_name or (spec.name if spec else f"agent {step.step.agent_id}")
    return Team(run_deps, state, agents, patterns, _default_model(run_deps, state.workspace_id))


async def _patterns_of(database: Database, workspace_id: UUID, steps: Sequence[Step]) -> dict[str, str]:
    if not any(step.pattern_slug for step in steps):
        return {}
    async with database.session(workspace_id) as session:
        return await words_of_patterns(session, workspace_id, patterns_named(steps))


def _default_model(run_deps: RunDeps, workspace_id: UUID) -> Callable[[], Awaitable[ModelChoice]]:
    """Return a finder of the workspace's default model that asks once: all steps of an execution get the same."""
    found: list[ModelChoice] = []

    async def find() -> ModelChoice:
        if not found:
            found.append(await run_deps.client.default_choice(workspace_id))
        return found[0]

    return find


def _resources(agent: AgentSpec) -> ResourceLimits:
    """Return how much of the machine the agent's calls may take."""
    limits = agent.settings.resource_limits
    return ResourceLimits(limits.memory_mb, limits.cpu_percent, limits.network_bandwidth)


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)
