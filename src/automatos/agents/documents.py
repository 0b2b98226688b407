"""Agents as documents: what a saved version and an export hold, and YAML text there and back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml
from pydantic import ValidationError
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, DocumentStartEvent

from automatos.agents.configuration import AgentFile
from automatos.agents.errors import DocumentsUnreadable
from automatos.agents.models import Agent
from automatos.agents.stored import configuration_of, model_settings_of

API = {"apiVersion": "automatos/v1", "kind": "Agent"}
MAX_DOCUMENTS = 100
MAX_DEPTH = 16
MAX_NODES = 200_000
MAX_NUMBER_CHARS = 100
SHOWN_FAULTS = 20
ODD_BREAKS = frozenset("\r\x85\u2028\u2029\ufeff")
"""What YAML folds like a line break, unless it is quoted and escaped."""


def definition_of(
    agent: Agent, persona: Mapping[str, Any] | None, skills: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return everything that makes an agent what it is: no id, status, counter or secret; what is null is left out."""
    configuration = configuration_of(agent.configuration)
    tools = configuration.pop("tools")
    voice = {"slug": persona["slug"] if persona else None, "custom_prompt": agent.custom_persona_prompt,
             "use_custom": agent.use_custom_persona}
    model = model_settings_of(agent.llm_config, agent.configuration)
    whole = {
        "name": agent.name, "description": agent.description, "agent_type": agent.agent_type,
        "marketplace_category": agent.marketplace_category, "tags": agent.tags,
        "persona": _given(voice) if any(value not in (None, False) for value in voice.values()) else None,
        "model_config": _given(model) if model else None, "skills": [skill["name"] for skill in skills],
        "tools": tools, "configuration": configuration,
    }
    return _given(whole)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def read_definition(definition: Any, number: int | None = None) -> AgentFile:
    """Return a definition, checked field by field; `number` says which document of several it is."""
    try:
        return AgentFile.model_validate(definition)
    except ValidationError as error:
        faults = [_fault(each) for each in error.errors(include_input=False, include_url=False)[:SHOWN_FAULTS]]
        first = faults[0]
        raise DocumentsUnreadable(f"{first['field']}: {first['reason']}", document=number, errors=faults) from None


def _fault(error: Mapping[str, Any]) -> dict[str, str]:
    place = ".".join(str(part) for part in error["loc"]) or "document"
    reason = "is not a field of an agent" if error["type"] == "extra_forbidden" else str(error["msg"])
    return {"field": place[:300], "reason": reason.removeprefix("Value error, ")[:300]}


def write_yaml(definitions: Sequence[Mapping[str, Any]]) -> str:
    """Return definitions as YAML documents that `read_yaml` and people can read."""
    return yaml.dump_all(
        [API | dict(one) for one in definitions], Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100,
        explicit_start=len(definitions) > 1)


def read_yaml(text: str) -> list[Any]:
    """Return the documents of a YAML text as plain values.

    Refused with its position: what is no YAML, names that point elsewhere in the text (they can make a small text
    huge), tags of other kinds, keys given twice, deep nesting, more than 100 documents, none at all.
    """
    try:
        _refuse_traps(text)
        documents = list(yaml.load_all(text, Loader=_Strict))
    except yaml.YAMLError as error:
        raise DocumentsUnreadable(_where(error)) from None
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError):  # what PyYAML makes of odd values
        raise DocumentsUnreadable("a value cannot be read") from None
    found = [one for one in documents if one is not None]
    if not found:
        raise DocumentsUnreadable("there is no document in it")
    return found


def _refuse_traps(text: str) -> None:
    """Walk over the text without building anything, and refuse what would be too much to build."""
    depth = documents = 0
    for nodes, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        documents += isinstance(event, DocumentStartEvent)
        if isinstance(event, AliasEvent):
            raise DocumentsUnreadable("aliases (*name) are not taken; repeat the value")
        if depth > MAX_DEPTH:
            raise DocumentsUnreadable(f"it is nested deeper than {MAX_DEPTH} levels")
        if documents > MAX_DOCUMENTS or nodes > MAX_NODES:
            raise DocumentsUnreadable(f"it holds more than {MAX_DOCUMENTS} documents or {MAX_NODES} values")


def _where(error: yaml.YAMLError) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    said = str(problem or "it is not YAML")[:200]
    return f"line {mark.line + 1}, column {mark.column + 1}: {said}" if mark else said


class _Strict(yaml.CSafeLoader):
    """Plain values only: dates stay texts, and a key counts once."""


class _Plain(yaml.SafeDumper):
    """Texts of several lines stay several lines."""


def _mapping(loader: yaml.CSafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value in seen or key.tag.endswith(":merge"):
            raise yaml.constructor.ConstructorError(None, None, "a key is given twice or is no text", key.start_mark)
        seen.add(key.value)
    return {loader.construct_object(key): loader.construct_object(value, deep=True) for key, value in node.value}


def _number(loader: yaml.CSafeLoader, node: yaml.ScalarNode) -> int | float:
    """Read a number of a length that people write; in base 60 a long one would take minutes."""
    if len(node.value) > MAX_NUMBER_CHARS:
        raise yaml.constructor.ConstructorError(None, None, "a number is too long", node.start_mark)
    is_whole = node.tag.endswith(":int")
    return loader.construct_yaml_int(node) if is_whole else loader.construct_yaml_float(node)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if ODD_BREAKS.intersection(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Strict.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if not tag.endswith((":timestamp", ":merge", ":value"))]
    for first, known in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Strict.yaml_constructors = {
    tag: make for tag, make in yaml.CSafeLoader.yaml_constructors.items()
    if tag is None or tag.rpartition(":")[2] in {"null", "bool", "int", "float", "str", "seq"}
}
_Strict.add_constructor("tag:yaml.org,2002:map", _mapping)
_Strict.add_constructor("tag:yaml.org,2002:int", _number)
_Strict.add_constructor("tag:yaml.org,2002:float", _number)
_Plain.add_representer(str, _text)
