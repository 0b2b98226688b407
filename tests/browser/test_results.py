"""What came out, as a person reads it: rendered, first on the page, safe whatever a model wrote, whole on paper."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import OWNER, PHONE, WIDE, call, call_until_over, watched
from tests.chaos.harness import stage
from tests.chaos.processes import ModelServer, Server

PAGE = """# The week in brief

Two releases, **one outage**, and a [report](https://example.com/report "more").
A second line of the same paragraph.

#### Figures

| Service | Requests | Errors |
|:--|--:|--:|
| api | 120,345 | 12 |
| web | 9,876 | 0 |

- [x] released
- [ ] post-mortem

1. first

2. second

```python
def broken():
    return "<b>not bold</b>"
```

Said with a footnote.[^1]

[^1]: The note itself.
"""
HOSTILE = """<script>window.hit = "script"</script>
<img src="https://evil.example/pixel.png" onerror="window.hit = 'onerror'">
<iframe src="https://evil.example/frame"></iframe>
<a href="javascript:window.hit='html'">html</a> <b onclick="window.hit='click'">bold</b>
<form action="https://evil.example/form"><button>send</button></form>

![a picture](https://evil.example/picture.png)
![no address](javascript:window.hit='image')

[runs a script](javascript:window.hit='link') [runs one too](JaVaScRiPt:window.hit='case')
[data](data:text/html,<script>window.hit='data'</script>) [of this app](/api/agents/1) [another](//evil.example/x)
<javascript:window.hit='autolink'>

[reference][one]

[one]: javascript:window.hit='reference'
"""
DIFF = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n same\n-old\n+new\n"


@dataclass
class Bench:
    """A server whose model says what a test wants it to say."""

    server: Server
    model: ModelServer
    context: BrowserContext
    workspace: str
    agent: int

    async def answer(self, text: str, prompt: str = "Report.") -> str:
        """Have the agent do a task that is answered with this text; return the run's id."""
        await self.model.script({"text": text, "chunks": 20})
        task = await call(self.context, self.server, "POST", f"/api/agents/{self.agent}/execute", {"prompt": prompt})
        await call_until_over(self.context, self.server, task["execution_id"])
        return task["execution_id"]

    async def open(self, path: str) -> Page:
        page = await self.context.new_page()
        await page.goto(f"{self.server.url}/w/{self.workspace}{path}")
        return page

    async def read(self, text: str) -> tuple[Page, Locator]:
        """Return the page of a run with this answer, and its result."""
        page = await self.open(f"/runs/{await self.answer(text)}")
        return page, page.get_by_role("region", name="Result")


@asynccontextmanager
async def new_bench(chromium: Browser) -> AsyncIterator[Bench]:
    async with stage() as opened:
        model = await opened.start_model_server()
        server = await opened.start_server(model=model)
        async with watched(chromium, server, viewport=WIDE, reduced_motion="reduce") as context:
            me = await call(context, server, "POST", "/api/setup", OWNER)
            agent = await call(context, server, "POST", "/api/agents", {"name": "Reporter", "activate": True})
            yield Bench(server, model, context, me["workspaces"][0]["slug"], agent["id"])


@pytest.fixture(scope="module")
async def bench(chromium: Browser) -> AsyncIterator[Bench]:
    async with new_bench(chromium) as made:
        yield made


async def test_an_answer_is_a_page_and_can_be_read_raw_copied_and_saved(bench: Bench, tmp_path: Path) -> None:
    page, result = await bench.read(PAGE)

    await expect(result.get_by_role("heading", name="The week in brief", level=3)).to_be_visible()
    await expect(result.get_by_role("heading", name="Figures", level=4)).to_be_visible()
    await expect(result.get_by_role("row")).to_have_count(3)
    await expect(result.get_by_role("columnheader", name="Requests")).to_have_css("text-align", "right")
    await expect(result.get_by_role("img", name="not done")).to_be_visible()
    await expect(result.get_by_role("checkbox")).to_have_count(0)
    await expect(result.locator("pre")).to_contain_text('return "<b>not bold</b>"')
    link = result.get_by_role("link", name="report")
    await expect(link).to_have_attribute("href", "https://example.com/report")
    await expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    await expect(link).to_have_attribute("target", "_blank")

    await result.get_by_role("radio", name="Raw").click()
    await expect(result).to_contain_text("| api | 120,345 | 12 |")

    async with page.expect_download() as saving:
        await result.get_by_role("button", name="Download as .md").click()
    saved = await saving.value
    await saved.save_as(tmp_path / "it")
    assert saved.suggested_filename.startswith("reporter-")
    assert saved.suggested_filename.endswith(".md")
    assert (tmp_path / "it").read_text() == PAGE
    async with page.expect_download() as saving:
        await result.get_by_role("button", name="Download as .json").click()
    await (await saving.value).save_as(tmp_path / "it")
    document = json.loads((tmp_path / "it").read_text())
    assert document["result"] == PAGE
    assert document["run"]["name"] == "Reporter"


async def test_the_result_of_a_recipe_stands_first_and_names_the_step_it_came_from(bench: Bench) -> None:
    steps = [{"step_id": name, "agent_id": bench.agent, "prompt_template": name,
              "output_key": f"{name}_text", "order": order} for order, name in enumerate(("gather", "write"), start=1)]
    await call(bench.context, bench.server, "POST", "/api/workflow-recipes",
               {"template_id": "two", "name": "Two", "steps": steps,
                "outputs": {"notes": {"from": "gather"}, "totals": {"type": "array", "from": "gather"}}})
    await bench.model.script({"text": "[]"}, {"text": "## The report\n\nAll well."})
    started = await call(bench.context, bench.server, "POST", "/api/workflow-recipes/two/execute", {"input_data": {}})
    await call_until_over(bench.context, bench.server, started["recipe_execution_id"])

    page = await bench.open(f"/runs/{started['recipe_execution_id']}")

    await expect(page.get_by_role("heading", level=2).first).to_have_text("Resultwrite_text of step 2")
    await expect(page.get_by_role("region", name="Result").get_by_role("heading", name="The report")).to_be_visible()
    await expect(page.get_by_text("Its output is the result above.")).to_be_visible()
    await page.get_by_role("button", name="1. gather").click()
    outputs = page.get_by_role("region", name="Outputs")
    await expect(outputs.get_by_role("term")).to_have_text(["notes", "totals"])
    await expect(outputs.get_by_role("definition")).to_have_text(["[]", "[]"])


async def test_nothing_in_an_answer_runs_leads_into_the_app_or_is_fetched(bench: Bench) -> None:
    # `watched` fails the test for every request to another host.
    page, result = await bench.read(HOSTILE)
    await expect(result.locator(".markdown")).to_be_visible()

    await page.wait_for_load_state("load")
    assert await page.evaluate("window.hit ?? null") is None
    markup = "script, iframe, img, form, input, style, object, embed, [onclick], [onerror]"
    assert await result.locator(markup).count() == 0
    links = await result.get_by_role("link").evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    assert links == ["https://evil.example/picture.png"]
    await expect(result).to_contain_text('<img src="https://evil.example/pixel.png"')
    for words in ("runs a script", "runs one too", "data", "of this app", "another"):
        await result.get_by_text(words, exact=True).click()
    assert await page.evaluate("window.hit ?? null") is None


async def test_while_nothing_comes_the_page_says_what_is_waited_for_and_against_which_limit(bench: Bench) -> None:
    await bench.model.script({"text": "At last.", "delay_s": 3})
    task = await call(bench.context, bench.server, "POST", f"/api/agents/{bench.agent}/execute", {"prompt": "Slow."})

    page = await bench.open(f"/runs/{task['execution_id']}")

    await expect(page.get_by_text("fake-model was asked and has not begun to answer.")).to_be_visible()
    await expect(page.get_by_role("main")).to_contain_text(" of 300 s.")
    await expect(page.get_by_role("main")).not_to_contain_text("$0.00")
    await expect(page.get_by_role("region", name="Result")).to_contain_text("At last.", timeout=20_000)


@pytest.mark.parametrize(("text", "shown"), [
    ('{"total": 2, "items": [{"id": 1}]}', '"total": 2,'), (DIFF, "+new"), ('[1, "two"]', '"two"'),
])
async def test_what_programs_write_is_shown_in_even_width(bench: Bench, text: str, shown: str) -> None:
    _, result = await bench.read(text)
    await expect(result.locator("pre")).to_contain_text(shown)
    assert "mono" in await result.locator("pre").evaluate("one => getComputedStyle(one).fontFamily")


async def test_a_long_answer_is_folded_on_screen_and_whole_on_paper(bench: Bench) -> None:
    lines = [f"Line {number} of a long answer that somebody may want to read to its very end.\n"
             for number in range(1_500)]
    page, result = await bench.read("\n".join(lines))
    await expect(result).to_contain_text("Line 3 of")
    assert await page.evaluate("document.documentElement.scrollHeight") < 8_000

    await page.emulate_media(media="print")
    await expect(result).to_contain_text("Line 1499 of")
    await expect(page.get_by_role("navigation", name="Main")).to_have_count(0)
    await page.emulate_media(media="screen")
    await expect(result).not_to_contain_text("Line 1499 of")

    await result.get_by_role("button", name="Show all").click()
    await expect(result).to_contain_text("Line 1499 of")


async def test_answers_of_all_kinds_are_accessible_and_fit(bench: Bench) -> None:
    wide_table = f"|{' head |' * 30}\n|{'---|' * 30}\n|{' a cell with words |' * 30}\n"
    hebrew = "# שלום עולם\n\nמילים בעברית with English 123.\n\n- אחד\n- שתיים"  # noqa: RUF001
    faults = list[Any]()
    for text in (PAGE, HOSTILE, DIFF, '{"a": [1]}', wide_table + "\n" + "x" * 3_000, hebrew, "```\n" + "y" * 500):
        page, result = await bench.read(text)
        await expect(result.locator(".markdown, pre").first).to_be_visible()
        for size, scheme in ((WIDE, "light"), (WIDE, "dark"), (PHONE, "light")):
            await page.set_viewport_size(size)
            await page.emulate_media(color_scheme=scheme)  # pyright: ignore[reportArgumentType]
            found = (await Axe().run(page)).response["violations"]
            faults += [(text[:20], each["id"], each["nodes"][0]["html"][:100]) for each in found]
            extra = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            faults += [(text[:20], f"{extra} px too wide")] if extra > 0 else []
        await page.close()
    assert faults == []
    page, result = await bench.read(hebrew)
    await expect(result.get_by_role("heading", name="שלום עולם")).to_have_css("direction", "rtl")
