"""Every page in both themes and on a phone: usable with assistive technology, nothing cut off, no request elsewhere."""

import asyncio
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.browser.conftest import PHONE, WIDE, Site, call, call_until_over, watched

PAGES = {
    "recipes": {
        "recipes": "/recipes", "recipe": "/recipes/research-digest", "new-recipe": "/recipes/new",
        "cook": "/recipes?cook=research-digest", "runs": "/runs", "run": "/runs/{run}", "task": "/runs/{task}",
        "nothing": "/no-such-page",
    },
    "agents": {
        "roster": "/agents", "roster-table": "/agents?view=table", "status": "/agents/{needed}/status?target=inactive",
        "profile": "/agents/{agent}", "profile-runs": "/agents/{agent}?tab=runs",
        "profile-usage": "/agents/{agent}?tab=usage",
        "profile-versions": "/agents/{agent}?tab=versions&from=1&to=2",
        "profile-prompt": "/agents/{agent}?tab=prompt",
    },
    "wizard": {f"wizard-{step}": f"/agents/new?from={{agent}}&step={step}" for step in range(1, 6)},
    "configuration": {
        f"settings-{tab}": f"/agents/{{agent}}/settings/{tab}"
        for tab in ("general", "model", "persona", "skills", "plugins", "tools", "heartbeat")
    },
    "library": {
        "personas": "/personas", "persona": "/personas?view={persona}", "new-persona": "/personas/new",
        "edit-persona": "/personas/{persona}/edit", "skills": "/skills", "sources": "/skills?tab=sources",
        "patterns": "/skills?tab=patterns", "new-pattern": "/skills/patterns/new?from=load-balancing",
        "edit-pattern": "/skills/patterns/{pattern}", "skill": "/skills/{skill}", "new-skill": "/skills/new",
        "edit-skill": "/skills/{skill}/edit",
    },
    "settings": {
        "models": "/settings/models", "model": "/settings/models?model=1", "credentials": "/settings/credentials",
        "new-credential": "/settings/credentials?view=new", "credential": "/settings/credentials?view={credential}",
        "values": "/settings/general", "members": "/settings/members", "keys": "/settings/keys",
        "audit": "/settings/audit",
    },
}
LOOKS: dict[str, tuple[ViewportSize, Literal["light", "dark"]]] = {
    "light": (WIDE, "light"), "phone": (PHONE, "light"), "dark": (WIDE, "dark"),
}
SKILL = {
    "name": "weekly-report", "description": "Turns loose notes into a weekly report. Use for status updates.",
    "content": "# Weekly report\n\n1. Sort the notes by project.\n2. Write one line for each.\n",
    "tags": ["writing"], "category": "documentation",
    "files": [{"path": "references/tone.md", "content": "Short sentences, no praise."}],
}


@pytest.fixture(scope="module")
async def furnished(chromium: Browser, site: Site) -> dict[str, Any]:
    """Something on every page: an agent with everything, its task, a persona, a skill, a credential."""
    async with watched(chromium, site.server, storage_state=site.cookies) as context:

        async def add(path: str, body: Any = None, method: str = "POST") -> Any:
            return await call(context, site.server, method, path, body)

        here = next(each for each in (await add("/api/auth/me", method="GET"))["workspaces"]
                    if each["slug"] == site.workspace)
        persona = await add(f"/api/workspaces/{here['id']}/personas", {
            "name": "Careful clerk", "description": "Checks before it claims.", "category": "Support",
            "system_prompt": "You are careful. You check every figure twice and say what you could not check.",
        })
        skill = await add("/api/skills", SKILL)
        pattern = await add("/api/patterns", {
            "name": "Two readers", "pattern_type": "coordination", "description": "Two read, one compares.",
            "pattern_data": {"steps": ["read", "compare"], "roles": {"reader": "reads"}, "limit": 2}})
        agent = await add("/api/agents", {
            "name": "Reporter", "description": "Writes the weekly report of the team from its notes.",
            "tags": ["reports", "team"], "marketplace_category": "Data Analysis", "persona_id": persona["id"],
            "skill_ids": [skill["id"]], "tools": ["text_stats"], "activate": True,
            "model_config": {"provider": "demo", "model_id": "demo", "temperature": 0.4},
        })
        own = f"/api/agents/{agent['id']}"
        await add(own, {"description": "Writes the weekly report of the team."}, "PUT")
        await add(f"/api/heartbeat/agents/{agent['id']}/config", {"enabled": True, "interval_minutes": 120}, "PUT")
        for name, status in {"Sleeper": "paused", "In repair": "maintenance", "Learner": "training"}.items():
            made = await add("/api/agents", {"name": name, "activate": status == "paused"})
            await add(f"/api/agents/{made['id']}/status", {"status": status}, "PUT")
        task = (await add(f"{own}/execute", {"prompt": "Report on this week: two releases, one outage."}))
        await call_until_over(context, site.server, task["execution_id"])
        credential = await add("/api/credentials", {"name": "Reports", "credential_type": "mysql_credentials", "data": {
            "host": "db.example.com", "database": "reports", "username": "reader", "password": "not a real one"}})
        return {
            "run": site.run_id, "task": task["execution_id"], "agent": agent["id"], "needed": 1,
            "persona": persona["id"], "skill": skill["id"], "pattern": pattern["slug"], "credential": credential["id"],
        }


async def faults_of(page: Page, name: str, pictures: Path) -> list[str]:
    """Look at an open page in every way it is looked at; the pictures are for people."""
    faults: list[str] = []
    for look, (size, scheme) in LOOKS.items():
        await page.emulate_media(color_scheme=scheme)
        await page.set_viewport_size(size)
        await expect(page.locator("html.dark")).to_have_count(int(scheme == "dark"))
        await page.screenshot(path=pictures / f"{name}-{look}.png")
        found = (await Axe().run(page)).response["violations"]
        faults += [f"{name}, {look}: {each['id']} {each['nodes'][0]['html'][:120]}" for each in found]
        extra = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        faults += [f"{name}, {look}: {extra} px wider than the screen"] if extra > 0 else []
    return faults


@pytest.mark.parametrize("area", PAGES)
async def test_every_page_is_accessible_and_fits_the_screen(
    chromium: Browser, site: Site, furnished: dict[str, Any], area: str, tmp_path: Path
) -> None:
    # Reduced motion, because a colour on its way to another has no contrast to speak of.
    calm = {"storage_state": site.cookies, "reduced_motion": "reduce"}
    left, faults = list(PAGES[area].items()), list[str]()

    async def look_around(context: BrowserContext) -> None:
        page = await context.new_page()
        while left:
            name, path = left.pop(0)
            await page.emulate_media(color_scheme="light")
            await page.set_viewport_size(WIDE)
            await page.goto(site.address(path.format(**furnished)))
            await expect(page.get_by_role("heading").first).to_be_visible()
            await page.wait_for_timeout(300)  # lists arrive; a live page is never idle on the network
            faults.extend(await faults_of(page, name, tmp_path))

    async with watched(chromium, site.server, **calm) as context, asyncio.TaskGroup() as two:
        for _ in range(2):
            two.create_task(look_around(context))

    assert faults == []


async def test_the_palette_goes_anywhere_by_keyboard(browsing: BrowserContext, site: Site) -> None:
    page = await browsing.new_page()
    await page.goto(site.address("/runs"))
    await expect(page.get_by_role("heading", name="Runs")).to_be_visible()

    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("dialog")).to_contain_text("Cook Research digest")
    await page.keyboard.type("new agent")
    await page.keyboard.press("Enter")

    await expect(page).to_have_url(site.address("/agents/new"))


async def test_the_chosen_theme_survives_a_reload(browsing: BrowserContext, site: Site) -> None:
    page = await browsing.new_page()
    await page.goto(site.address("/runs"))
    await page.get_by_role("button", name="Account of").click()
    await page.get_by_role("menuitemradio", name="Dark").click()

    await page.reload()

    await expect(page.locator("html")).to_have_class("dark")


async def test_on_a_phone_the_name_of_a_run_stands_beside_its_status(chromium: Browser, site: Site) -> None:
    async with watched(chromium, site.server, storage_state=site.cookies, viewport=PHONE) as context:
        page = await context.new_page()
        await page.goto(site.address("/runs"))
        row = page.get_by_role("table", name="Runs").locator("tbody tr").first
        icon, name = row.locator("svg").first, row.get_by_role("link")
        await expect(name).to_be_visible()
        left, right = await icon.bounding_box(), await name.bounding_box()

    assert left
    assert right
    assert right["x"] - (left["x"] + left["width"]) < 48
