"""A setting of an agent is written in one place: bodies, answers, documents, versions and the API's words follow."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_setting_added_to_the_model_is_in_the_api_in_runs_in_documents_and_in_comparisons() -> None:
    script = [sys.executable, "-m", "tests.agents.with_one_more_setting"]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])

    words = {"title": "Tools at once", "description": "How many tools it calls at the same time.", "x-group": "Work"}
    assert found == {
        "body": {"type": "integer", "minimum": 1, "maximum": 8, "default": 4} | words,
        "answer": {"type": "integer"} | words,
        "is_always_answered": True,
        "with_the_heartbeat": True,
        "of_a_run": 4,
        "exported": 6,
        "imported": 6,
        "saved": 6,
        "refused": "yaml: configuration.max_parallel_tools: Input should be less than or equal to 8",
        "changes": [["/configuration/max_parallel_tools", 4, 6]],
    }
