"""What `automatos up` tells people once it serves: where, how long it took, who answers, and the sample recipe."""

import time
import webbrowser
from typing import TYPE_CHECKING

from automatos import __version__
from automatos.entrypoints.cli import STARTED_AT
from automatos.entrypoints.cli.console import put
from automatos.entrypoints.cli.figures import duration, quantity
from automatos.kernel.config import Settings
from automatos.kernel.errors import Problem

if TYPE_CHECKING:
    from automatos.entrypoints.first_start import Sample
    from automatos.entrypoints.serve import Announce
    from automatos.entrypoints.services import Services

PLUG_IN = """\
       It is no model: it answers offline from the prompt alone, marked [demo]. To connect a real one, set one of
       OPENAI_API_KEY, ANTHROPIC_API_KEY or HF_TOKEN (HuggingFace's router) and start again; for Ollama, vLLM and
       everything compatible set OPENAI_BASE_URL and DEFAULT_LLM_MODEL; or add a key in the web app under Settings,
       Credentials. More: docs/how-to/connect-a-model.md"""


def greet(settings: Settings, *, works: bool, opens_browser: bool) -> "Announce":
    """Return what to do once the server answers."""

    async def announce(services: "Services", url: str) -> None:
        from automatos.entrypoints.first_start import cook_sample

        put(f"Automatos {__version__} at {url}, ready in {time.monotonic() - STARTED_AT:.1f} s. Ctrl-C stops it.")
        await _tell_who_answers(services)
        await _tell_set_up(services, url)
        if not works:
            put("Work: none here (--no-worker); start `automatos worker` with the same database.")
        if opens_browser:
            webbrowser.open(url)
        if works and settings.cook_sample:
            try:
                if sample := await cook_sample(services):
                    _tell_sample(sample, url)
            except Problem as problem:
                put(f"sample recipe not cooked: {problem.detail}")

    return announce


async def _tell_who_answers(services: "Services") -> None:
    from automatos.workspaces.service import get_or_create_default_workspace

    workspace_id = await get_or_create_default_workspace(services.database, services.settings)
    try:
        found = await services.models.resolve_default(workspace_id)
    except Problem as problem:
        put(f"Model: none can answer. {problem.detail}")
        return
    if found.is_demo:
        put(f"Model: the built-in demo provider answers.\n{PLUG_IN}")
    else:
        put(f"Model: {found.choice.provider} {found.choice.model_id} answers (from {found.source.replace('_', ' ')}).")


async def _tell_set_up(services: "Services", url: str) -> None:
    from automatos.workspaces.service import needs_admin, needs_setup, operator_key, setup_token, sign_in_mode

    settings, mode = services.settings, sign_in_mode(services.settings)
    public = (settings.public_url or url).rstrip("/")
    if settings.platform_api_key and not operator_key(settings):
        put("Operator's key: none. AUTOMATOS_API_KEY holds a key of a workspace (ak_...), which is the command line's.")
    if mode == "none":
        put("Sign-in: off (REQUIRE_AUTH=false); everybody on this machine is the owner.")
    elif mode == "local" and await needs_setup(services.database):
        put(f"First account: make it at {public}/setup?token={setup_token(settings)}")
    elif mode != "local" and await needs_admin(services.database):
        put(f"System admin: nobody yet. Sign in at {public}/setup?token={setup_token(settings)} and take the server "
            "over; the sample recipe's workspace becomes yours.")


def _tell_sample(sample: "Sample", url: str) -> None:
    """Write the line that newcomers and scripts look for."""
    run = sample.run
    if not run.status.startswith("completed"):
        why = (run.error or {}).get("message", "")
        put(f"sample recipe {run.status}: {why} See {url}{sample.path}")
        return
    done = [step for step in run.steps if step.status == "completed"]
    answered = "the built-in demo provider" if sample.is_demo else "a real model"
    agents = {step.agent_name for step in done}
    put(f"sample recipe completed: {quantity(len(done), 'step')} by {quantity(len(agents), 'agent')}, "
        f"{run.total_tokens:,} tokens, {duration(run.duration_ms)}, answered by {answered}: {url}{sample.path}")
