"""Whole things on a page of plain text."""

import json
from typing import Any

from automatos.cli.console import put, put_table, say, shown
from automatos.cli.figures import costs, tokens, trimmed
from automatos.kernel.figures import duration

STEP_COLUMNS = ("order", "step_id", "agent_name", "status", "tokens", "cost", "time")


def put_fields(thing: dict[str, Any], names: tuple[str, ...]) -> None:
    """Write fields of a thing, one a line."""
    width = max(map(len, names)) + 2
    for name in names:
        put(f"{name.replace('_', ' '):<{width}}{shown(thing.get(name))}")


def put_run(run: dict[str, Any], address: str) -> None:
    """Write a run with its steps and its output."""
    is_over = run["finished_at"] is not None
    put_fields(run | {"cost": costs(run, is_over=is_over), "time": duration(run["duration_ms"]), "address": address,
                      "total_tokens": tokens(run["total_tokens"], is_estimated=run["is_estimated"])},
               ("id", "recipe_name", "recipe_version", "status", "triggered_by", "created_at", "time", "total_tokens",
                "cost", "address"))
    put("")
    put_table((step | {"tokens": tokens(step["input_tokens"] + step["output_tokens"],
                                        is_estimated=step["is_estimated"]),
                       "cost": costs(step, is_over=step["finished_at"] is not None),
                       "time": duration(step["duration_ms"])} for step in run["steps"]), STEP_COLUMNS)
    _put_cached(run)
    _put_attempts(run)
    _put_relatives(run)
    if error := run["error"]:
        put("")
        put(f"error: {error['message']}")
        put(f"  {error['next_step'] or ''}")
    output_data = run["output_data"] or {}
    if output := output_data.get("final_output"):
        put("")
        put(str(output))
    if outputs := output_data.get("outputs"):
        put("")
        for name, value in outputs.items():
            put(f"output {name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


def _put_cached(run: dict[str, Any]) -> None:
    """Write how much of the input came from the provider's cache and went into it, where a provider said so."""
    bodies = [turn["body"] for step in run["steps"] for turn in step["turns"] if turn["kind"] == "model"]
    read, written = (sum(body.get(f"cache_{what}_tokens") or 0 for body in bodies) for what in ("read", "write"))
    if read or written:
        put(f"cache: {tokens(read)} of the input tokens read, {tokens(written)} written")


def _put_relatives(run: dict[str, Any]) -> None:
    """Write the runs that its steps have started, and the one that has started it."""
    for step in run["steps"]:
        if child := step["child"]:
            put(f"step {step['order']} runs {child['recipe_id']}, version {child['recipe_version']}: "
                f"{child['run_id']} ({child['status'] or 'cleaned away'})")
    if parent := run["parent"]:
        put(f"part of {parent['recipe_id'] or 'another'} run {parent['run_id']}, started by its step {parent['path']}")


def _put_attempts(run: dict[str, Any]) -> None:
    """Write the attempts that gave no answer, and the answers that are not whole."""
    for step in run["steps"]:
        for each in step["attempts"]:
            waited = f", tried again after {each['wait_s']:g} s" if each["wait_s"] is not None else ""
            put(f"step {step['order']} attempt {each['attempt']} of {each['of'] or '?'}: {each['reason']}{waited}")
        if step["is_cut_off"]:
            put(f"step {step['order']}: the answer was cut off by its limit and is not whole; raise max_tokens")


def put_recipe(recipe: dict[str, Any]) -> None:
    """Write a recipe with its inputs and steps."""
    put_fields(recipe, ("template_id", "name", "description", "tags", "version", "use_count", "last_used_at"))
    put("")
    for name, spec in recipe["inputs"].items():
        need = "required" if spec.get("required") else f"default {trimmed(shown(spec.get('default')), 60)}"
        put(f"input {name} ({spec.get('type', 'string')}, {need}): {spec.get('description', '')}")
    for name, spec in recipe["outputs"].items():
        put(f"output {name} ({spec.get('type', 'string')}): {spec.get('description', '')}")
    put("")
    put_table(({"order": step["order"], "step_id": step["step_id"], "output_key": step["output_key"],
                "agent": (step.get("agent") or {}).get("name"), "agent_status": (step.get("agent") or {}).get("status"),
                } for step in recipe["steps"]), ("order", "step_id", "agent", "agent_status", "output_key"))


def say_rest(page: dict[str, Any], nouns: str, first_step: str) -> None:
    """Tell what a list does not show: that there is more of it, or how to make the first thing."""
    shown_here, total = len(page["items"]), page.get("total", len(page["items"]))
    if not total:
        say(f"no {nouns} here; start with: {first_step}")
    elif shown_here < total:
        more = "" if page.get("is_total_exact", True) else "+"
        say(f"{shown_here} of {total}{more} {nouns}; see more with --limit")


def short_time(at: str | None) -> str:
    """Write a time of the server to the minute: `2026-03-01 12:30`, in UTC."""
    return at[:16].replace("T", " ") if at else "-"
