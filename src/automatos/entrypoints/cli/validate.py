"""Checking recipe files on this machine, by the same rules as the server's."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from automatos.entrypoints.cli.console import CommandFailed
from automatos.entrypoints.cli.documents import read_document
from automatos.recipes.definition import faults_of, given_step, patterns_named
from automatos.recipes.schemas import RecipeFile


def faults_of_file(path: Path) -> list[dict[str, Any]]:
    """Return every fault of a recipe file, each with `where` and `message`.

    Whether an agent that the file only names, or a pattern, exists in the workspace, the server tells when the file
    is applied.
    """
    try:
        file = RecipeFile.model_validate(read_document(path))
    except CommandFailed as failure:
        return [{"where": path.name, "message": failure.what}]
    except ValidationError as error:
        return [{"where": ".".join(map(str, fault["loc"])) or path.name, "message": fault["msg"]}
                for fault in error.errors(include_input=False, include_url=False)]
    steps = [given_step(step.as_given(order, 1 if step.agent else None))
             for order, step in enumerate(file.recipe.steps, start=1)]
    inputs = {name: spec.model_dump(mode="json") for name, spec in file.recipe.inputs.items()}
    found = faults_of(steps, inputs, file.recipe.stored_outputs, {1}, patterns_named(steps))
    return [fault | {"where": f"recipe.{fault['where']}"} for fault in found]
