"""List, start and follow a run by the client that openapi-python-client made, which lies beside this as `made`."""

import json
import sys
from uuid import UUID

from made.api.recipes import execute_recipe, list_recipes
from made.api.runs import follow_run, get_run, list_run_events, list_runs
from made.client import AuthenticatedClient
from made.models import EventPage, ExecutionCompletedEvent, ExecutionStart, RecipeList, RunOut, RunPage, Started

url, key = sys.argv[1:]
with AuthenticatedClient(url, key, prefix="", auth_header_name="X-API-Key", timeout=60) as client:
    recipes = list_recipes.sync(client=client)
    assert isinstance(recipes, RecipeList), recipes
    started = execute_recipe.sync(recipes.items[0].template_id, client=client, body=ExecutionStart())
    assert isinstance(started, Started), started
    assert isinstance(started.run_id, UUID)

    told = []
    with client.get_httpx_client().stream(**follow_run._get_kwargs(started.run_id)) as response:
        assert response.status_code == 200, response.read()
        for line in response.iter_lines():
            if line.startswith("data: "):
                told.append(json.loads(line.removeprefix("data: ")))
    facts = [event for event in told if event["seq"]]
    followed = EventPage.from_dict({"items": facts, "total": len(facts), "next_after": None})
    stored = list_run_events.sync(started.run_id, client=client)
    assert isinstance(stored, EventPage), stored
    assert followed.items == stored.items
    last = followed.items[-1]
    assert isinstance(last, ExecutionCompletedEvent), last

    run = get_run.sync(started.run_id, client=client)
    assert isinstance(run, RunOut), run
    runs = list_runs.sync(client=client)
    assert isinstance(runs, RunPage), runs
    assert [each.id for each in runs.items] == [started.run_id]
    print(json.dumps({
        "run": str(run.id), "status": run.status, "events": len(facts), "output": last.data.final_output}))
