"""A recipe's definition: read from rows, checked as a whole, its inputs checked against what it declares."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Literal

import orjson

from automatos.events.types import ExecutionQueued, QueuedStep
from automatos.kernel.tracing import current_traceparent
from automatos.recipes.graph import Flow, flow_faults
from automatos.recipes.placeholders import RESERVED, find
from automatos.recipes.types import NOBODY, Definition, ExecutionConfig, JsonObject, Step, is_graph
from automatos.runs.types import StepKind, StepPath

JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "number": (int, float), "integer": (int,), "boolean": (bool,), "array": (list,),
    "object": (dict,),
}
Fault = dict[str, Any]
MAX_FAULTS = 100


def definition_of(row: Mapping[str, Any]) -> Definition:
    """Read a stored version: keys recipe_id, template_id, name, version, steps, inputs, outputs, execution_config."""
    steps = tuple(stored_step(step) for step in sorted(row["steps"], key=lambda step: step["order"]))
    return Definition(row["recipe_id"], row["template_id"], row["name"], row["version"], steps, row["inputs"],
                      ExecutionConfig(**row["execution_config"]), row.get("outputs") or {})


def stored_step(step: JsonObject) -> Step:
    """Read a step as it is stored."""
    values = dict(step)
    needs = values.pop("needs", None)
    values["agent_id"] = values["agent_id"] or NOBODY
    return Step(**values, needs=None if needs is None else tuple(needs))


def given_step(step: JsonObject) -> Step:
    """Read a step as clients write it: its output has a name also where none is given."""
    return stored_step({**step, "output_key": step["output_key"] or f"step_{step['order']}"})


def agent_of(step: Mapping[str, Any]) -> int:
    """Return the agent of a stored step; NOBODY where no agent does it."""
    return int(step["agent_id"] or NOBODY)


def task_definition(stored: Mapping[str, Any]) -> Definition:
    """Read the definition that a task carries: keys name, steps, execution_config."""
    return definition_of({**stored, "recipe_id": None, "template_id": None, "version": 0, "inputs": {}})


def patterns_named(steps: Iterable[Step]) -> set[str]:
    """Return the slugs of the patterns that steps name."""
    return {step.pattern_slug for step in steps if step.pattern_slug}


def faults_of(
    steps: list[Step], inputs: JsonObject, outputs: JsonObject, known_agents: Iterable[int],
    known_patterns: Iterable[str],
) -> list[Fault]:
    """Return the faults of a definition, each with `where`, `message` and, in prompts, `line` and `column`.

    They are in the order of the document, and a hundred at most.
    """
    faults: list[Fault] = []
    agents, patterns = set(known_agents), set(known_patterns)
    faults += _unfit_defaults(inputs)
    faults += _outputs_of_nothing(outputs, [step for step in steps if step.inside is None])
    faults += _repeated("order", steps, [step.order for step in steps])
    faults += _repeated("step_id", steps, [step.step_id for step in steps])
    faults += _repeated("output_key", steps, [step.output_key for step in steps])
    flow = Flow(steps) if is_graph(steps) else None
    faults += islice(flow_faults(steps, inputs), MAX_FAULTS) if flow else []
    for place, step in enumerate(steps):
        if step.kind is StepKind.AGENT and step.agent_id not in agents:
            faults.append(_fault(f"steps[{place}].agent_id", f"agent {step.agent_id} is not in this workspace"))
        if step.pattern_slug and step.pattern_slug not in patterns:
            faults.append(_fault(f"steps[{place}].pattern_slug",
                                 f"this workspace has no pattern {step.pattern_slug!r}; choose another or none"))
        if RESERVED.fullmatch(step.output_key) and step.output_key != f"step_{step.order}":
            faults.append(_fault(f"steps[{place}].output_key", f"{step.output_key!r} is a reserved name"))
        faults += islice(_unknown_placeholders(place, step, steps, inputs, flow), MAX_FAULTS)
    return faults[:MAX_FAULTS]


def _unfit_defaults(inputs: JsonObject) -> list[Fault]:
    return [
        _fault(f"inputs.{name}.default", f"must be a {spec['type']}") for name, spec in inputs.items()
        if spec["default"] is not None and not fits(spec["default"], spec["type"])
    ]


def _outputs_of_nothing(outputs: JsonObject, steps: list[Step]) -> list[Fault]:
    known = ", ".join(step.output_key for step in steps[:10])
    return [
        _fault(f"outputs.{name}.from", f"no step has the output {source!r}; use the output_key of one: {known}")
        for name, spec in outputs.items()
        if (source := spec.get("from")) and not any(is_named_by(source, step) for step in steps)
    ]


def _repeated(field: str, steps: list[Step], values: list[Any]) -> list[Fault]:
    return [
        _fault(f"steps[{place}].{field}", f"{values[place]!r} is used by an earlier step too")
        for place in range(len(steps)) if values[place] in values[:place]
    ]


def _unknown_placeholders(
    place: int, step: Step, steps: list[Step], inputs: JsonObject, flow: Flow | None,
) -> Iterator[Fault]:
    earlier = flow.before[step.step_id] if flow else [other for other in steps if other.order < step.order]
    known = {f"input.{name}" for name in inputs} | {other.output_key for other in earlier}
    known |= {f"step_{other.order}_output" for other in earlier}
    if len(flow.needs[step.step_id]) == 1 if flow else earlier:
        known.add("previous_output")
    if step.inside:
        known |= {"item", "index"}
    given = (step.run or {}).get("inputs", {})
    texts = {"prompt_template": step.prompt_template} | {
        f"run.inputs.{name}": text for name, text in given.items() if isinstance(text, str)}
    for where, text in texts.items():
        for found in find(text):
            if found.name not in known:
                yield _fault(f"steps[{place}].{where}", _why_unknown(found.name, steps), line=found.line,
                             column=found.column)


def _why_unknown(name: str, steps: list[Step]) -> str:
    if name.startswith("input."):
        return f"{{{name}}} is not a declared input"
    if any(name in {step.output_key, f"step_{step.order}_output"} for step in steps):
        return f"{{{name}}} is the output of this step or a later one; a step can only use earlier outputs"
    return (f"{{{name}}} is unknown; use {{input.NAME}}, an earlier step's output_key, {{previous_output}} or "
            f"{{step_N_output}}, or \\{{{name}}} for the text itself")


def _fault(where: str, message: str, **position: int) -> Fault:
    return {"where": where, "message": message, **position}


def accept_inputs(declared: JsonObject, given: JsonObject) -> tuple[JsonObject, list[Fault]]:
    """Return the inputs with defaults filled in, and the faults: unknown, missing or of another type."""
    faults = [_fault(f"input_data.{name}", "the recipe declares no such input")
              for name in given if name not in declared]
    accepted: JsonObject = {}
    for name, spec in declared.items():
        value = given.get(name, spec.get("default"))
        if value is None:
            if spec.get("required", False):
                faults.append(_fault(f"input_data.{name}", "is required"))
            accepted[name] = None
        elif not fits(value, spec.get("type", "string")):
            faults.append(_fault(f"input_data.{name}", f"must be a {spec.get('type', 'string')}"))
        else:
            accepted[name] = value
    return accepted, faults


def fits(value: object, type_name: str) -> bool:
    """Tell whether a value is of a declared type; booleans are no numbers."""
    if isinstance(value, bool) and type_name in {"number", "integer"}:
        return False
    return isinstance(value, JSON_TYPES.get(type_name, (object,)))


def is_named_by(name: str, step: Step) -> bool:
    """Tell whether `from` means this step: by its output_key, its step_id or its place."""
    return name in {step.output_key, step.step_id, f"step_{step.order}_output"}


def as_text(value: object) -> str:
    """Return an input as it appears in a prompt: text as it is, anything else as JSON, nothing as the empty text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def queued_event(
    recipe: Definition, names: dict[str, str], parent: tuple[str, StepPath] | None = None
) -> ExecutionQueued:
    """Return the first event of a recipe's execution; `names` are its agents' by id, `parent` the step behind it."""
    parent_run_id, parent_path = parent or (None, None)
    return ExecutionQueued(
        kind="recipe", recipe_id=recipe.template_id, recipe_name=recipe.name, recipe_version=recipe.version,
        total_steps=len(recipe.own_steps),
        steps=[QueuedStep(order=s.order, step_id=s.step_id, agent_id=s.agent_id or None,
                          agent_name=names.get(str(s.agent_id), ""), output_key=s.output_key,
                          kind=_kind(s))
               for s in recipe.own_steps],
        parent_run_id=parent_run_id, parent_path=parent_path, traceparent=None if parent else current_traceparent(),
    )


def _kind(step: Step) -> Literal["for_each", "approval", "wait", "run"] | None:
    if step.for_each:
        return "for_each"
    if step.approval:
        return "approval"
    if step.run:
        return "run"
    return "wait" if step.wait else None
