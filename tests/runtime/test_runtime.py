"""Agents made ready to work."""


import pytest

from automatos.agents.types import AgentConfiguration, PersonaSpec, SkillSpec
from automatos.kernel.config import Settings
from automatos.kernel.http import Http
from automatos.llm.types import ModelChoice
from automatos.runtime.runtime import AgentFactory
from automatos.runtime.types import Limits, TemperatureSource
from automatos.tools.service import Toolbox
from tests.runtime.specs import BREAD, SOUP, Shelf, agent

DEFAULT = ModelChoice("openai", "default-model")


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
    made = AgentFactory(Toolbox(settings, http), finder, Shelf()), finder
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
    assert opening.system_prompt == "\n\n".join(part.text for part in await runtime.parts())


async def test_tools_that_do_not_exist_are_not_offered(factory: tuple[AgentFactory, Finder]) -> None:
    runtime = factory[0].activate_agent(agent(tools=("calculator", "launch_rockets")))

    assert [tool.name for tool in runtime.tools] == ["calculator"]


async def test_tools_that_come_with_skills_are_offered_to_agents_that_have_skills(
    factory: tuple[AgentFactory, Finder]
) -> None:
    without, skilled = factory[0].activate_agent(agent()), factory[0].activate_agent(agent(skills=(SOUP,)))

    assert (list(without.handed), list(skilled.handed)) == ([], ["load_skill"])
    assert (await skilled.open("Cook", Limits())).tools == ("calculator", "load_skill")


@pytest.mark.capability("S050")
@pytest.mark.parametrize(("own", "suggested", "counts", "decides"), [
    (0.1, 0.9, 0.1, "agent"), (0.0, 0.9, 0.0, "agent"), (None, 0.9, 0.9, "persona"), (None, 0.0, 0.0, "persona"),
    (None, None, None, "provider"),
])
async def test_a_personas_temperature_counts_only_where_the_agent_sets_none(
    factory: tuple[AgentFactory, Finder], own: float | None, suggested: float | None, counts: float | None, decides: str
) -> None:
    voice = PersonaSpec("predefined", "Be brief.", suggested_temperature=suggested)
    model = ModelChoice("openai", "m", temperature=own)

    runtime = factory[0].activate_agent(agent(persona=voice, model=model))

    assert (await runtime.open("Go", Limits())).model.temperature == counts
    assert runtime.temperature_source == TemperatureSource(decides)


async def test_a_personas_temperature_goes_with_the_default_model_too(factory: tuple[AgentFactory, Finder]) -> None:
    voice = PersonaSpec("predefined", "Be brief.", suggested_temperature=0.3)

    runtime = factory[0].activate_agent(agent(persona=voice))

    assert await runtime.model() == ModelChoice("openai", "default-model", temperature=0.3)


async def test_skills_are_read_once_and_only_by_agents_that_want_them_whole(
    factory: tuple[AgentFactory, Finder], settings: Settings
) -> None:
    skill_loader, http = Shelf(), Http.open()
    made = AgentFactory(Toolbox(settings, http), factory[1], skill_loader)
    await http.close()
    eager = agent(skills=(SOUP, BREAD), settings=AgentConfiguration(skill_loading="preload"))

    await made.activate_agent(agent(skills=(SOUP,))).open("Cook", Limits())
    assert skill_loader.read == []
    runtime = made.activate_agent(eager)
    await runtime.open("Cook", Limits())
    await runtime.open("Cook again", Limits())

    assert skill_loader.read == ["soup", "bread"]


async def test_a_skill_that_is_gone_is_not_waited_for(factory: tuple[AgentFactory, Finder]) -> None:
    gone = SkillSpec(9, "magic", "Use it never.", 1, 1)
    eager = agent(skills=(SOUP, gone), settings=AgentConfiguration(skill_loading="preload"))

    prompt = (await factory[0].activate_agent(eager).open("Cook", Limits())).system_prompt

    assert "How to make soup." in prompt
    assert "How to make magic." not in prompt


async def test_an_agent_without_whole_skills_is_sized_without_waiting(factory: tuple[AgentFactory, Finder]) -> None:
    """Every step asks for it; a pause is a turn of the event loop."""
    sizing = factory[0].activate_agent(agent(skills=(SOUP,))).size()

    with pytest.raises(StopIteration) as done:
        sizing.send(None)

    assert done.value.value > 0
