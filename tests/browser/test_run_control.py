"""A run's page holds the run up, lets it go on, and begins it again at a step."""

import asyncio

from playwright.async_api import expect

from tests.browser.conftest import Stand
from tests.fakes.model_calls import Reply


async def test_a_run_is_paused_and_resumed_and_begun_again_at_the_chosen_step(stand: Stand) -> None:
    agent = await stand.agent("Scout")
    steps = [{"step_id": name, "agent_id": agent, "prompt_template": name, "output_key": f"{name}_text", "order": order}
             for order, name in enumerate(("gather", "write"), start=1)]
    waits = {"step_id": "sent", "order": 3, "wait": {"signal": "posted"}}
    await stand.call("POST", "/api/workflow-recipes", {"template_id": "held", "name": "Held", "steps": [*steps, waits]})
    gate = asyncio.Event()
    stand.model.script(Reply(text="Gathered.", gate=gate), Reply(text="Written."), Reply(text="Written again."))
    started = await stand.call("POST", "/api/workflow-recipes/held/execute", {"input_data": {}})
    page = await stand.open(f"/runs/{started['run_id']}")
    main = page.get_by_role("main")
    await expect(page.get_by_role("navigation", name="Steps of this run")).to_contain_text("Running")

    await page.get_by_role("button", name="Pause run").click()
    await expect(main).to_contain_text("what is at work is finished, nothing else begins")
    gate.set()
    await expect(main).to_contain_text("goes on from where it stands when somebody resumes it")
    await page.get_by_role("button", name="Resume run").click()
    await expect(main).to_contain_text("Goes on when somebody sends the run the signal posted")
    await stand.call("POST", f"/api/runs/{started['run_id']}/signals/posted", {"data": "yes"})
    await expect(page.get_by_role("button", name="Cook again")).to_be_visible()

    await page.get_by_role("navigation", name="Steps of this run").get_by_role("button", name="2. write").click()
    await page.get_by_role("button", name="Run again from 2. write").click()
    await page.wait_for_url(lambda url: started["run_id"] not in url)
    await page.get_by_role("navigation", name="Steps of this run").get_by_role("button", name="1. gather").click()
    await expect(page.locator("#step")).to_contain_text("Taken over from an earlier run")
    await expect(page.locator("#step")).to_contain_text("Gathered.")
    forked = page.url.partition("?")[0].rpartition("/")[2]
    await stand.call("POST", f"/api/runs/{forked}/signals/posted", {"data": "yes"})
    await expect(page.get_by_role("button", name="Cook again")).to_be_visible()

    assert len(stand.model.calls) == 3
