"""Commands about models: list, get, providers, test, recommend, estimate, add, edit, delete, default."""

from typing import Annotated, Any

import typer

from automatos.cli import completion
from automatos.cli.agent.definition import model_named
from automatos.cli.asking import Manner
from automatos.cli.changes import made, read_fields, save
from automatos.cli.client import Client
from automatos.cli.console import CommandFailed, Exit, misuse, put, put_json, put_table, say
from automatos.cli.figures import cost
from automatos.cli.options import Document, Json, NoInput, Sets, Yes
from automatos.cli.pages import put_fields, say_rest
from automatos.kernel.figures import duration

app = typer.Typer()
Named = Annotated[str, typer.Argument(
    help="PROVIDER/MODEL, or the id in the catalogue.", metavar="MODEL", autocompletion=completion.models)]
COLUMNS = ("model", "context", "in_per_1k", "out_per_1k", "good_for", "status")
FIELDS = ("id", "provider", "model_id", "display_name", "model_family", "description", "status", "context_window",
          "max_output_tokens", "input_cost_per_1k", "output_cost_per_1k", "supports_functions", "supports_vision",
          "supports_streaming", "capabilities", "recommended_for", "default_temperature", "release_date",
          "deprecation_date", "version", "updated_at")
GENERAL = "/api/settings/orchestrator_llm"


@app.command("list")
def list_models(
    provider: Annotated[str | None, typer.Option(help="Only models of this provider.")] = None,
    status: Annotated[str | None, typer.Option(help="active, beta, deprecated, inactive or all.")] = None,
    capability: Annotated[str | None, typer.Option(help="Only models that can do this, such as vision.")] = None,
    search: Annotated[str | None, typer.Option(help="Only models with this text in their name.")] = None,
    as_json: Json = False,
) -> None:
    """List the models of the catalogue with their prices in US dollars."""

    page = Client().get("/api/models", provider=provider, status=status, capability=capability, search=search)
    if as_json:
        put_json(page)
        return
    put_table(map(_row, page["items"]), COLUMNS, spare=("status", "context", "good_for"))
    say_rest(page, "models", "automatos model add PROVIDER/MODEL")


@app.command("get")
def get_model(model: Named, as_json: Json = False) -> None:
    """Show one model of the catalogue."""

    found = _find(Client(), model)
    if as_json:
        put_json(found)
        return
    strengths = ", ".join(f"{name} {strength}" for name, strength in found["capabilities"].items())
    put_fields(found | {"capabilities": strengths}, FIELDS)


@app.command("providers")
def list_providers(as_json: Json = False) -> None:
    """List the providers of models, and how each is configured."""

    page = Client().get("/api/models/providers")
    if as_json:
        put_json(page)
        return
    put_table((each | {"opened_by": each["source"] if each["configured"] else "nothing yet"}
               for each in page["items"]), ("name", "display_name", "opened_by", "env_variable", "default_model"),
              spare=("display_name",))


@app.command("test")
def try_model(
    model: Annotated[str, typer.Argument(help="PROVIDER/MODEL.", metavar="MODEL", autocompletion=completion.models)],
    temperature: Annotated[float | None, typer.Option(min=0, max=2, help="How freely it writes.")] = None,
    as_json: Json = False,
) -> int:
    """Ask a model for one word, at its price. Exit code 1 when it does not answer."""

    result = Client().post("/api/models/test", model_named(model) | (
        {} if temperature is None else {"temperature": temperature}))
    code = Exit.OK if result["ok"] else Exit.FAILED
    if as_json:
        put_json(result)
        return code
    for fault in result["faults"]:
        say(f"warning: {fault}")
    if problem := result["problem"]:
        raise CommandFailed(problem["detail"], *([problem["next_step"]] if problem["next_step"] else []))
    put(result["text"].strip())
    say(f"ok answered in {duration(result['latency_ms'])}, {result['input_tokens'] + result['output_tokens']:,} "
        f"tokens, {cost(result['cost_usd'])}")
    return code


@app.command("recommend")
def recommend_models(
    *, task: Annotated[str, typer.Argument(help="The kind of task, such as coding or summarization.")] = "general",
    max_cost: Annotated[float | None, typer.Option(min=0, help="US dollars per 1,000 tokens, in and out.")] = None,
    min_context: Annotated[int | None, typer.Option(min=1, help="Tokens that must fit.")] = None,
    capability: Annotated[list[str] | None, typer.Option(help="What it must be able to do; may be repeated.")] = None,
    provider: Annotated[str | None, typer.Option(help="The provider to prefer.")] = None,
    vision: Annotated[bool, typer.Option("--vision", help="It must see pictures.")] = False,
    functions: Annotated[bool, typer.Option("--functions", help="It must call tools.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5, as_json: Json = False,
) -> None:
    """Rank the models for a task, those that can be asked now first, each with its reason."""

    given = {"task_type": task, "max_cost": max_cost, "min_context": min_context, "limit": limit,
             "required_capabilities": capability, "prefer_provider": provider, "require_vision": vision,
             "require_functions": functions}
    found = Client().post("/api/models/recommend", {name: value for name, value in given.items() if value is not None})
    if as_json:
        put_json(found)
        return
    put_table(({"model": f"{each['provider']}/{each['model_id']}", "score": f"{each['score']:.2f}",
                "ready": "yes" if each["configured"] else "needs a key", "reason": each["reason"]}
               for each in found["items"]), ("model", "score", "ready", "reason"))
    if found["left_out"]:
        say("left out: " + ", ".join(f"{count} for {need}" for need, count in found["left_out"].items()))


@app.command("estimate")
def estimate_cost(
    model: Annotated[
        str, typer.Argument(help="PROVIDER/MODEL, or a model's own name.", metavar="MODEL",
                            autocompletion=completion.models)],
    input_tokens: Annotated[int, typer.Option("--in", min=0, help="Tokens that it reads.")],
    output_tokens: Annotated[int, typer.Option("--out", min=0, help="Tokens that it writes.")] = 0,
    as_json: Json = False,
) -> None:
    """Tell what so many tokens of a model cost."""

    named = model_named(model) if "/" in model else {"model_id": model}
    found = Client().post("/api/models/estimate-cost",
                          named | {"input_tokens": input_tokens, "output_tokens": output_tokens})
    if as_json:
        put_json(found)
        return
    put(cost(found["total_cost_usd"]))
    say(f"{found['provider']}/{found['model_id']}: {input_tokens:,} tokens in {cost(found['input_cost_usd'])}, "
        f"{output_tokens:,} out {cost(found['output_cost_usd'])}, price from {found['source']}")


@app.command("add")
def add_model(
    model: Annotated[str, typer.Argument(help="PROVIDER/MODEL.", metavar="MODEL", autocompletion=completion.models)],
    file: Document = None, assignments: Sets = None, as_json: Json = False,
) -> None:
    """Add a model to the catalogue of the whole server; for system admins.

    For example: automatos model add vllm/qwen --set context_window=32000 --set input_cost_per_1k=0
    """

    entry = Client().post("/api/models/catalogue", read_fields(file, assignments) | model_named(model))
    made(entry, f"model {entry['provider']}/{entry['model_id']} is added", as_json=as_json)


@app.command("edit")
def edit_model(
    model: Named, file: Document = None, assignments: Sets = None, yes: Yes = False, no_input: NoInput = False,
    as_json: Json = False,
) -> None:
    """Change a model of the catalogue for the whole server; for system admins. Shows the difference and asks."""

    body = read_fields(file, assignments)
    if not body:
        misuse("there is nothing to change", "give --set FIELD=VALUE or --file FILE")
    client = Client()
    found = _find(client, model)
    save(client, f"/api/models/catalogue/{found['id']}", found, body, Manner(as_json, yes, no_input),
         name=f"model {found['provider']}/{found['model_id']}")


@app.command("delete")
def delete_model(model: Named, yes: Yes = False, no_input: NoInput = False, as_json: Json = False) -> None:
    """Remove a model that was added by hand; for system admins."""

    client, manner = Client(), Manner(as_json, yes, no_input)
    found = _find(client, model)
    name = f"{found['provider']}/{found['model_id']}"
    manner.agree(f"Delete model {name} from the catalogue?")
    client.delete(f"/api/models/catalogue/{found['id']}")
    manner.tell({"id": found["id"], "deleted": True}, f"model {name} is deleted")


@app.command("default")
def default_model(
    chosen: Annotated[
        str | None, typer.Option("--set", help="The model, as PROVIDER/MODEL.",
                                 autocompletion=completion.models)] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Take the choice back.")] = False,
    system: Annotated[bool, typer.Option("--system", help="For the whole server; for system admins.")] = False,
    as_json: Json = False,
) -> None:
    """Show or choose the model that answers where an agent names none."""

    if chosen and reset:
        misuse("--reset leaves nothing to choose", "give one of them")
    client, scope = Client(), "system" if system else "workspace"
    if chosen or reset:
        named = model_named(chosen) if chosen else {"provider": None, "model_id": None}
        client.put(GENERAL, {"values": {"llm_provider": named["provider"], "llm_model": named["model_id"]},
                             "scope": scope})
    now = client.get("/api/models/default")
    if as_json:
        put_json(now)
        return
    put(f"{now['provider']}/{now['model_id']}")
    say(f"from: {now['source'].replace('_', ' ')}")


def _find(client: Client, wanted: str) -> dict[str, Any]:
    """Return a model of the catalogue by its id, by PROVIDER/MODEL, or by its own name where one provider has it."""
    if wanted.isdecimal():
        return client.get(f"/api/models/catalogue/{wanted}")
    models: list[dict[str, Any]] = client.get("/api/models", status="all")["items"]
    found = [each for each in models if wanted in {f"{each['provider']}/{each['model_id']}", each["model_id"]}]
    if len(found) == 1:
        return found[0]
    if found:
        raise CommandFailed(f"several providers have {wanted!r}",
                            *(f"write {each['provider']}/{each['model_id']}" for each in found[:10]))
    near = [f"{each['provider']}/{each['model_id']}" for each in models if wanted.casefold() in each["model_id"]]
    raise CommandFailed(f"the catalogue has no model {wanted!r}",
                        f"did you mean: {', '.join(near[:5])}" if near else "list them with: automatos model list")


def _row(model: dict[str, Any]) -> dict[str, Any]:
    window = model["context_window"]
    return {"model": f"{model['provider']}/{model['model_id']}", "context": f"{window:,}" if window else None,
            "in_per_1k": model["input_cost_per_1k"], "out_per_1k": model["output_cost_per_1k"],
            "good_for": model["recommended_for"], "status": model["status"]}
