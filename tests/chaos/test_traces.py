"""A run whose worker was killed is one trace, within that of whoever asked for it."""

import pytest

from tests.chaos.client import set_up
from tests.chaos.harness import stage
from tests.chaos.test_graphs import Running, recipe_file, step
from tests.chaos.test_kill_worker import until
from tests.fakes.otlp_collector import Collector

pytestmark = pytest.mark.chaos
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


async def test_a_run_that_two_workers_did_is_one_trace_within_its_callers() -> None:
    async with Collector() as collector, stage() as scene:
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
        postgres = await scene.start_postgres()
        model = await scene.start_model_server(latency_ms=0)
        server = await scene.start_server(database_url=postgres.url, model=model, with_worker=False, variables=traced)
        async with await set_up(server.url) as client:
            table = Running(scene, postgres, model, server, client, traced)
            await client.apply(recipe_file("line", [step("first"), step("second")]))
            await table.replace_worker()
            await model.script({"hang": True}, match="[t second]")
            started = await client.call("POST", "/api/workflow-recipes/line/execute", {"input_data": {"tag": "t"}},
                                        {"traceparent": f"00-{TRACE}-{SPAN}-01"})
            run_id = started["recipe_execution_id"]

            async def is_held_and_told() -> bool:
                return (await table.count("t"))["second"] == 1 and any(
                    span.name == "chat fake-model" for span in collector.spans)

            await until(is_held_and_told)
            await table.replace_worker()
            follower = client.follow(run_id)
            await follower.until_end(60)
            assert follower.types[-1] == "execution.completed"
        await table.worker.terminate()
        await server.terminate()

    ours = [span for span in collector.spans if span.trace_id == TRACE]
    names = {span.span_id: span.name for span in ours} | {SPAN: "the caller"}
    request = "POST /api/workflow-recipes/{template_id}/execute"
    assert sorted((span.name, names.get(span.parent_id, "")) for span in ours) == sorted([
        (request, "the caller"), ("invoke_workflow line", request),
        ("invoke_agent Worker", "invoke_workflow line"), ("invoke_agent Worker", "invoke_workflow line"),
        ("chat fake-model", "invoke_agent Worker"), ("chat fake-model", "invoke_agent Worker")])
    assert {span.trace_id for span in collector.spans if span.attributes.get("automatos.run.id") == run_id} == {TRACE}
    assert len({span.resource["service.instance.id"] for span in ours}) == 3
