"""Agents made ready to work."""

from types import MappingProxyType

import pytest

from automatos.agents.types import AgentSpec, AgentStatus
from automatos.kernel.config import Settings
from automatos.kernel.http import Http
from automatos.llm.types import ModelChoice
from automatos.runs.runtime import AgentFactory
from automatos.runs.types import Limits
from automatos.tools.service import Toolbox

DEFAULT = ModelChoice("openai", "default-model")


def agent(**fields: object) -> AgentSpec:
    known: dict[str, object] = {
        "id": 7, "name": "Ada", "description": "Checks numbers.", "agent_type": "data_analyst",
        "status": AgentStatus.ACTIVE, "persona_prompt": "Be exact.", "model": None, "tools": ("calculator",),
        "max_iterations": 5, "retry_attempts": 1, "timeout_s": 60, "max_concurrent_tasks": 1,
        "configuration": MappingProxyType({}), "version": 1,
    }
    return AgentSpec(**(known | fields))  # type: ignore[arg-type]


class Finder:
    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self) -> ModelChoice:
        self.asked += 1
        return DEFAULT


@pytest.fixture
async def factory(settings: Settings) -> tuple[AgentFactory, Finder]:
    http = Http.open()
    finder = Finder()
    made = AgentFactory(Toolbox(settings, http), finder), finder
    await http.close()
    return made


@pytest.mark.capability("S110")
async def test_activating_an_agent_asks_for_its_model_only_when_it_is_needed_and_then_once(
    factory: tuple[AgentFactory, Finder]
) -> None:
    made, finder = factory

    runtime = made.activate_agent(agent())
    assert finder.asked == 0
    await runtime.open("One", Limits())
    opening = await runtime.open("Two", Limits())

    assert finder.asked == 1
    assert opening.model == DEFAULT


@pytest.mark.capability("S110")
async def test_an_agent_with_a_model_of_its_own_keeps_it(factory: tuple[AgentFactory, Finder]) -> None:
    made, finder = factory
    own = ModelChoice("anthropic", "claude-sonnet-4-5", temperature=0.2)

    runtime = made.activate_agent(agent(model=own))

    assert await runtime.model() == own
    assert finder.asked == 0


@pytest.mark.capability("S111")
async def test_a_runtime_holds_identity_model_tools_prompt_and_counters(factory: tuple[AgentFactory, Finder]) -> None:
    runtime = factory[0].activate_agent(agent())

    opening = await runtime.open("Add", Limits(max_turns=3))

    assert (runtime.agent.id, runtime.agent.name) == (7, "Ada")
    assert [tool.name for tool in runtime.tools] == ["calculator"]
    assert runtime.counters.runs == 1
    assert (opening.prompt, opening.tools, opening.limits.max_turns) == ("Add", ("calculator",), 3)
    assert opening.system_prompt == runtime.system_prompt


async def test_the_prompt_has_its_parts_in_order(factory: tuple[AgentFactory, Finder]) -> None:
    prompt = factory[0].activate_agent(agent()).system_prompt

    places = [prompt.index(part) for part in ("You are Ada (data analyst)", "Checks numbers.", "# Persona\nBe exact.",
                                              "# Your tools\n- calculator:")]
    assert places == sorted(places)
    assert "<data>" in prompt


async def test_parts_an_agent_lacks_are_left_out(factory: tuple[AgentFactory, Finder]) -> None:
    prompt = factory[0].activate_agent(agent(persona_prompt=None, description="", tools=())).system_prompt

    assert "# Persona" not in prompt
    assert "# Your tools" not in prompt


async def test_tools_that_do_not_exist_are_not_offered(factory: tuple[AgentFactory, Finder]) -> None:
    runtime = factory[0].activate_agent(agent(tools=("calculator", "launch_rockets")))

    assert [tool.name for tool in runtime.tools] == ["calculator"]
