"""The order in which a new database is filled."""

import ast
import inspect

import pytest

from automatos.entrypoints import seed

ORDER = ["seed_credential_types", "seed_settings", "seed_models", "seed_skills", "seed_patterns", "seed_personas"]


@pytest.mark.capability("S166")
def test_rooms_are_filled_in_the_order_in_which_they_need_each_other() -> None:
    tree = ast.parse(inspect.getsource(seed.seed))
    called = [node.value.func.id for node in ast.walk(tree)
              if isinstance(node, ast.Await) and isinstance(node.value, ast.Call)
              and isinstance(node.value.func, ast.Name)]

    assert [name for name in ORDER if name in called] == called
    assert {"seed_credential_types", "seed_settings", "seed_models", "seed_personas"} <= set(called)
