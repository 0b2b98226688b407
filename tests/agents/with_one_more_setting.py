"""Prints, as JSON, where a setting is found that is added to the model of settings and nowhere else."""

import json
from typing import Annotated

from pydantic import Field, create_model

from automatos.agents import types

NAME, DEFAULT, OTHER = "max_parallel_tools", 4, 6
types.AgentConfiguration = create_model(  # before anything imports it
    "AgentConfiguration", __base__=types.AgentConfiguration, __module__=types.__name__,
    **{NAME: (Annotated[types.Whole, Field(ge=1, le=8), types.setting(
        "Tools at once", "How many tools it calls at the same time.", "Work")], DEFAULT)},
)

from automatos.agents import documents, saving, stored, transfer  # noqa: E402
from automatos.agents.models import Agent  # noqa: E402
from automatos.entrypoints.openapi import describe_all  # noqa: E402


def agent(configuration: dict[str, object]) -> Agent:
    return Agent(name="Ada", description=None, agent_type="custom", marketplace_category="Custom", tags=[],
                 configuration=configuration, llm_config=None, custom_persona_prompt=None, use_custom_persona=False)


def found() -> dict[str, object]:
    schemas = describe_all()["components"]["schemas"]
    exported = documents.definition_of(agent({NAME: OTHER}), None, ())
    read = documents.read_definition(exported)
    changed = saving.merged(agent({}), types.AgentConfiguration.model_validate({NAME: OTHER}))
    before = documents.definition_of(agent({}), None, ())
    return {
        "body": schemas["AgentConfiguration"]["properties"][NAME],
        "answer": schemas["AgentConfigurationOut"]["properties"][NAME],
        "is_always_answered": NAME in schemas["AgentConfigurationOut"]["required"],
        "with_the_heartbeat": NAME in schemas["AgentConfigurationShown"]["properties"],
        "of_a_run": getattr(stored.settings_of({}), NAME),
        "exported": exported["configuration"][NAME],
        "imported": getattr(read.configuration, NAME),
        "saved": changed[NAME],
        "refused": str(documents_fault({**exported, "configuration": {NAME: 9}})),
        "changes": [[one.path, one.before, one.after] for one in transfer.changes_between(before, exported)],
    }


def documents_fault(definition: dict[str, object]) -> object:
    try:
        documents.read_definition(definition)
    except documents.DocumentsUnreadable as refusal:
        return refusal.detail
    return None


if __name__ == "__main__":
    print(json.dumps(found()))
