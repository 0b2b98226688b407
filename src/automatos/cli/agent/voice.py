"""What an agent is told and by what it thinks: prompt, persona, skills, model."""

from pathlib import Path
from typing import Annotated, Any

import typer

from automatos.cli import completion
from automatos.cli.agent.definition import model_named, skill_ids
from automatos.cli.asking import Manner
from automatos.cli.changes import read_text
from automatos.cli.client import Client
from automatos.cli.console import misuse, put, put_json, put_table, say
from automatos.cli.finding import PERSONA, agent_path, find, find_agent
from automatos.cli.options import AgentName, Json
from automatos.cli.pages import put_fields

app = typer.Typer()
SKILL_COLUMNS = ("id", "name", "category", "tokens", "source", "active")
MODEL_FIELDS = ("model", "reasoning_effort", "temperature", "max_tokens", "top_p", "frequency_penalty",
                "presence_penalty", "fallback")


@app.command("prompt")
def show_prompt(
    agent: AgentName,
    text: Annotated[bool, typer.Option("--text", help="Write the system prompt and nothing else.")] = False,
    as_json: Json = False,
) -> None:
    """Show all that an agent reads before it works, part by part, with the tokens of each."""

    client = Client()
    context = client.get(f"{agent_path(client, agent)}/assembled-context")
    if as_json:
        put_json(context)
        return
    if text:
        put(context["system_prompt"])
        return
    model, persona = context["model"], context["persona"] or {}
    put_fields({
        "model": f"{model['provider']}/{model['model_id']} (from {model['source']})",
        "temperature": _temperature(context), "persona": persona.get("name") or ("its own text" if persona else None),
        "tools": context["tools"] or None,
        "skills": [f"{one['name']} (level {one['level']})" for one in context["skills"]] or None,
        "tokens": f"about {context['token_estimate']:,} ({context['token_basis']})",
    }, ("model", "temperature", "persona", "skills", "tools", "tokens"))
    for piece in context["parts"]:
        put(f"\n=== {piece['source']}: {piece['title']}, {piece['tokens']:,} tokens")
        put(piece["text"].strip())


def _temperature(context: dict[str, Any]) -> str:
    chosen = context["temperature"]
    return "the provider's own" if chosen is None else f"{chosen:g} (from the {context['temperature_source']})"


@app.command("persona")
def agent_persona(
    agent: AgentName,
    chosen: Annotated[
        str | None, typer.Option("--set", help="A persona of the library, by slug or name.",
                                 autocompletion=completion.personas)] = None,
    custom: Annotated[
        Path | None, typer.Option("--custom-file", help="A text that is its own persona.", exists=True, dir_okay=False)
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take its persona away.")] = False, as_json: Json = False,
) -> None:
    """Show or choose the voice of an agent."""

    if sum((chosen is not None, custom is not None, clear)) > 1:
        misuse("only one persona can be chosen", "give one of --set, --custom-file and --clear")
    client = Client()
    path = f"{agent_path(client, agent)}/persona"
    now = client.get(path)
    if chosen is not None:
        body = {"persona_id": find(client, PERSONA, chosen)["id"], "custom_prompt": now["custom_persona_prompt"]}
    elif custom is not None:
        body = {"persona_id": now["persona_id"], "custom_prompt": read_text(str(custom)), "use_custom": True}
    elif clear:
        body = {}
    else:
        _show_persona(now, as_json=as_json)
        return
    now = client.put(path, body)
    Manner(as_json).tell(now, f"its persona is {_persona_name(now)}")


def _persona_name(persona: dict[str, Any]) -> str:
    return "its own text" if persona["use_custom_persona"] else persona["persona_name"] or "none"


def _show_persona(persona: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        put_json(persona)
        return
    say(f"persona: {_persona_name(persona)}")
    if persona["system_prompt"]:
        put(persona["system_prompt"].strip())


@app.command("skills")
def agent_skills(
    agent: AgentName,
    added: Annotated[
        list[str] | None, typer.Option("--add", help="A skill to add; may be repeated.",
                                       autocompletion=completion.skills)] = None,
    removed: Annotated[
        list[str] | None, typer.Option("--remove", help="A skill to take away; may be repeated.",
                                       autocompletion=completion.skills)
    ] = None,
    chosen: Annotated[
        list[str] | None, typer.Option("--set", help="A skill to have instead of all others; may be repeated.",
                                         autocompletion=completion.skills)
    ] = None,
    as_json: Json = False,
) -> None:
    """Show or change the skills of an agent."""

    if chosen and (added or removed):
        misuse("--set leaves nothing to add or to remove", "give either --set, or --add and --remove")
    client = Client()
    path = f"{agent_path(client, agent)}/skills"
    now = client.get(path)
    if chosen or added or removed:
        gone = set(skill_ids(client, removed or []))
        kept = [] if chosen else [one["id"] for one in now["items"] if one["id"] not in gone]
        wanted = list(dict.fromkeys([*kept, *skill_ids(client, chosen or added or [])]))
        now = client.post(path, {"skill_ids": wanted, "replace": True})
    if as_json:
        put_json(now)
        return
    put_table((each | {"tokens": each["core_tokens"], "active": each["is_active"]} for each in now["items"]),
              SKILL_COLUMNS)
    if not now["items"]:
        say("it has no skills; see them with: automatos skill list")


@app.command("model")
def agent_model(
    *, agent: AgentName,
    chosen: Annotated[
        str | None, typer.Option("--set", help="The model, as PROVIDER/MODEL.",
                                 autocompletion=completion.models)] = None,
    effort: Annotated[str | None, typer.Option(help="How hard it thinks: none, minimal, low, medium, high, xhigh or "
                                                    "max; the nearest that the model takes is asked for.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0, max=2, help="How freely it writes.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Its longest answer.")] = None,
    top_p: Annotated[float | None, typer.Option(min=0, max=1, help="How much of the likely words it looks at.")] = None,
    fallback: Annotated[
        str | None, typer.Option(help="The model that answers when this one does not.",
                                 autocompletion=completion.models)] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take the workspace's default.")] = False,
    as_json: Json = False,
) -> None:
    """Show or choose the model of an agent."""

    given = model_named(chosen) if chosen else {}
    client = Client()
    found = find_agent(client, agent)
    now: dict[str, Any] | None = found["model_config"]
    changes = {"temperature": temperature, "max_tokens": max_tokens, "top_p": top_p, "fallback_model_id": fallback,
               "reasoning_effort": effort}
    given |= {name: value for name, value in changes.items() if value is not None}
    if clear and given:
        misuse("--clear leaves nothing to choose", "leave out the other options")
    if clear or given:
        if not clear and not now and not chosen:
            misuse("it takes the workspace's default model", "choose one first, with --set PROVIDER/MODEL")
        saved = client.put(f"/api/agents/{found['id']}", version=found["version"],
                           body={"model_config": None if clear else {**(now or {}), **given}})
        now = saved["model_config"]
        say(f"agent {found['name']!r} is saved as version {saved['version']}")
    _show_model(client, found["id"], now, as_json=as_json)


def _show_model(client: Client, agent_id: int, model: dict[str, Any] | None, *, as_json: bool) -> None:
    if as_json:
        put_json({"agent_id": agent_id, "model_config": model})
        return
    shown = model or client.get("/api/models/default")
    name = f"{shown['provider']}/{shown['model_id']}"
    if model:
        put_fields(shown | {"model": name, "fallback": model["fallback_model_id"]}, MODEL_FIELDS)
    else:
        put_fields({"model": f"{name} (the default)"}, MODEL_FIELDS[:1])
