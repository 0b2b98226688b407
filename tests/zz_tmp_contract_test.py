import asyncio
import pytest, schemathesis
from contextlib import suppress
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import FailureGroup
from tests import test_api_contract as c
from tests.tenancy.world import new_person
from automatos.entrypoints.seed import seed

description = c.description

@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
@pytest.mark.parametrize("as_root", [False, True])
async def test_mine(description, client, make, model_server, mode, http, database, as_root):
    await seed(database)
    if as_root:
        p = await new_person(http, database, "root", system_role="admin")
        client = await p.at(p.home)
        made = await client.post("/api/models/catalogue", json={"provider": "openai", "model_id": "x"})
        known = {"entry_id": made.json().get("id", 1), "name": "openai_api", "task": "coding"}
    else:
        known = await c.things(client, make) | {"name": "openai_api", "task": "coding"}
    schema = schemathesis.openapi.from_dict(description)
    found = {}
    def send(case):
        answer = case.call(base_url=str(client.http._base_url), headers=client.headers, timeout=20)
        try:
            case.validate_response(answer, checks=c.CHECKS)
        except FailureGroup as failure:
            found[case.operation.label] = "\n".join([*map(str, failure.exceptions), case.as_curl_command()])
    def examine():
        for result in schema.get_all_operations():
            op = result.ok()
            if not any(w in op.label for w in ("/api/credentials", "/api/models", "/api/settings", "/api/usage")): continue
            if as_root and "catalogue" not in op.label: continue
            with suppress(Unsatisfiable):
                c.explore(op, mode, known, send)
    await asyncio.to_thread(examine)
    assert found == {}
