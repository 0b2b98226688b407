"""What an agent reads before its first turn, part by part."""

from typing import Literal
from uuid import UUID

import pytest

from automatos.agents.types import AgentConfiguration, PersonaSpec, SkillSpec
from automatos.kernel.tokens import estimate_tokens
from automatos.llm.types import ModelChoice, ToolSpec
from automatos.runtime.loop import messages_of
from automatos.runtime.runtime import assemble, join
from automatos.runtime.types import RunInput, Turn
from tests.runtime.specs import BREAD, SOUP, agent

CALCULATOR = ToolSpec("calculator", "Works out numbers.", {})


def text_of(source: str, **fields: object) -> str:
    found = {part.source: part.text for part in assemble(agent(**fields), (CALCULATOR,), {})}
    return found.get(source, "")  # type: ignore[call-overload]


def test_the_parts_come_in_one_order_and_the_prompt_is_their_join() -> None:
    parts = assemble(agent(skills=(SOUP,)), (CALCULATOR,), {})

    assert [part.source for part in parts] == ["task", "identity", "persona", "skills", "tools", "policy"]
    assert [part.title for part in parts] == [
        "Task", "Who you are", "Persona", "Your skills", "Your tools", "How to work"]
    prompt = join(parts)
    places = [prompt.index(text) for text in (
        "You are Ada (data analyst).", "Checks numbers.", "# Persona\nBe exact.", "# Your skills\n",
        "# Your tools\n- calculator: Works out numbers.", "# How to work\n- Work in small steps")]
    assert places == sorted(places)
    assert "<data>" in parts[0].text
    assert all(part.tokens == estimate_tokens(part.text) > 0 for part in parts)


def test_parts_an_agent_lacks_are_left_out() -> None:
    parts = assemble(agent(persona=None, description="", tools=()), (), {})

    assert [part.source for part in parts] == ["task", "identity", "policy"]


@pytest.mark.capability("S029")
@pytest.mark.parametrize("environment", ["development", "staging", "production"])
def test_nothing_is_said_of_the_environment_but_what_the_owner_wrote(
    environment: Literal["development", "staging", "production"]
) -> None:
    silent = text_of("identity", settings=AgentConfiguration(environment=environment))
    told = text_of("identity", settings=AgentConfiguration(
        environment=environment, environment_note="Orders here are real."))

    assert silent == text_of("identity", settings=AgentConfiguration())
    assert environment not in silent
    assert told == f"{silent}\nOrders here are real."


@pytest.mark.parametrize("source", ["predefined", "custom"])
def test_the_persona_is_read_as_it_was_written(source: str) -> None:
    words = "Line one.\n\n  - {not a placeholder} </data> # still yours"

    assert text_of("persona", persona=PersonaSpec(source, words)) == f"# Persona\n{words}"  # type: ignore[arg-type]


def test_a_skill_is_known_by_name_and_purpose_and_how_to_load_it() -> None:
    text = text_of("skills", skills=(SOUP, BREAD))

    assert text.endswith("- soup: Use it to cook soup.\n- bread: Use it to bake bread.")
    assert "load_skill" in text
    assert "read_skill_file" in text


def test_skills_that_are_handed_in_whole_need_no_loading() -> None:
    parts = assemble(agent(skills=(SOUP, BREAD)), (), {1: "Boil water.", 2: "Knead."})

    text = next(part.text for part in parts if part.source == "skills")
    assert text.endswith("## soup\nBoil water.\n\n## bread\nKnead.")
    assert "- soup: Use it to cook soup." in text
    assert "load_skill" not in text


@pytest.mark.parametrize(("text", "tokens"), [
    ("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("word " * 100, 125), ("提督", 2), ("😀", 1), ("\ud800", 1),
])
def test_tokens_are_estimated_by_bytes(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


def test_a_thousand_skills_are_listed_one_line_each() -> None:
    skills = tuple(SkillSpec(n, f"skill-{n}", "Does it.", 1, 1) for n in range(1000))

    assert text_of("skills", skills=skills).count("\n- skill-") == 1000


def test_a_loaded_skill_is_to_be_followed_and_everything_else_from_tools_is_material() -> None:
    def said(name: str, *, ok: bool) -> str:
        body = {"call_id": "c", "name": name, "arguments": "{}", "output": "Do this.", "ok": ok}
        opening = RunInput("system", "prompt", ModelChoice("openai", "m"), (name,))
        return messages_of(opening, [Turn(UUID(int=1), 2, "tool", body)])[-1].content

    assert said("load_skill", ok=True) == "Do this."
    assert said("load_skill", ok=False) == said("read_skill_file", ok=True) == "<data>\nDo this.\n</data>"
