"""Files on this machine judged by the server's own rules, without a server: recipes, skills, YAML."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from automatos.recipes.definition import faults_of, given_step, patterns_named
from automatos.recipes.schemas import RecipeFile
from automatos.skills import package


def find_recipe_faults(*, document: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return every fault of a recipe file's content, each with `where` and `message`; `name` is the file's.

    Whether an agent that the file only names, or a pattern, exists in the workspace, the server tells when the file
    is applied.
    """
    try:
        file = RecipeFile.model_validate(document)
    except ValidationError as error:
        return [{"where": ".".join(map(str, fault["loc"])) or name, "message": fault["msg"]}
                for fault in error.errors(include_input=False, include_url=False)]
    steps = [given_step(step.as_given(order, 1 if step.agent else None))
             for order, step in enumerate(file.recipe.steps, start=1)]
    inputs = {name: spec.model_dump(mode="json") for name, spec in file.recipe.inputs.items()}
    found = faults_of(steps, inputs, file.recipe.stored_outputs, {1}, patterns_named(steps))
    return [fault | {"where": f"recipe.{fault['where']}"} for fault in found]


def check_skills(*, files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Return the verdict on every skill among files by path."""
    return [check_skill(folder=folder, files=own) for folder, own in package.find_skills(dict(files)).items()]


def check_skill(*, folder: str, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the verdict on one skill, whose folder has these files."""
    one = package.check_package(folder, dict(files))
    return {"path": one.folder, "verdict": one.verdict.value, "is_valid": one.verdict == "conforms",
            "problems": [*one.problems, *one.notes], "notes": one.notes,
            "name": one.package.name if one.package else "",
            "core_tokens": one.package.core_tokens if one.package else 0}
