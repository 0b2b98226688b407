"""What `automatos up` tells people once it serves: where, how long it took, who answers, and the sample recipe."""

import contextlib
import shutil
import sys
import textwrap
import time
import webbrowser
from typing import TYPE_CHECKING

from automatos import __version__
from automatos.kernel.config import Settings, kept_for_later
from automatos.kernel.errors import Problem
from automatos.kernel.figures import duration, quantity
from automatos.kernel.terminal import put

if TYPE_CHECKING:
    from automatos.entrypoints.first_start import Sample
    from automatos.entrypoints.serve import Announce
    from automatos.entrypoints.services import Services
    from automatos.llm.types import DefaultModel

PLUG_IN = """\
The demo is no model: it works offline and makes its text from the prompt alone, marked [demo]. To connect a real model,
set OPENAI_API_KEY, ANTHROPIC_API_KEY or HF_TOKEN (HuggingFace's router) and start again; for Ollama, vLLM and the like
set OPENAI_BASE_URL and DEFAULT_LLM_MODEL; or add a key in the web app under Settings, Credentials. Settings,
Models shows there who answers, and why."""
SAMPLE_CALLS = 3
"""How many requests the sample recipe makes when nothing has to be asked again: one a step."""


def greet(settings: Settings, *, works: bool, opens_browser: bool, started_at: float) -> "Announce":
    """Return what to do once the server answers; `started_at` is when the command began, by the monotonic clock."""

    async def announce(services: "Services", url: str) -> None:
        from automatos.entrypoints.first_start import cook_sample

        outside = settings.outside_address(url)
        ready_s = time.monotonic() - started_at
        put(wrapped(f"Automatos {__version__} at {outside}, ready in {ready_s:.1f} s. Ctrl-C stops it."))
        if settings.log_format == "auto":
            put(f"Log: {settings.home / 'logs' / 'server.log'}")
        for variable, purpose in kept_for_later(settings):
            put(wrapped(f"{variable}: kept for a later release, which will have {purpose}; nothing uses it yet."))
        await _tell_set_up(services, url, opens_browser=opens_browser)
        answers = await _tell_who_answers(services)
        if not works:
            put(wrapped("Work: none here (--no-worker); start `automatos worker` with the same database."))
        if opens_browser:
            webbrowser.open(outside)
        if works and settings.cook_sample:
            try:
                if sample := await cook_sample(services, before=lambda: _tell_price(answers)):
                    _tell_sample(sample, outside)
            except Problem as problem:
                put(wrapped(f"sample recipe not cooked: {problem.detail}"))

    return announce


def tell(text: str) -> None:
    """Say how the start or the stop goes; nothing depends on whether anybody still listens."""
    with contextlib.suppress(OSError, ValueError):
        put(wrapped(text))


def wrapped(text: str) -> str:
    """Break text into lines as wide as the terminal, at words; addresses stay whole, pipes get whole sentences."""
    if not sys.stdout.isatty():
        return " ".join(text.split("\n"))
    width = max(shutil.get_terminal_size().columns - 1, 40)
    return textwrap.fill(" ".join(text.split()), width, break_long_words=False, break_on_hyphens=False)


async def _tell_who_answers(services: "Services") -> "DefaultModel | None":
    """Say which model answers, once it is sure that it can be asked; returns it, None when none can."""
    from automatos.workspaces.service import get_or_create_default_workspace

    workspace_id = await get_or_create_default_workspace(services.database, services.settings)
    try:
        found = await services.models.resolve_default(workspace_id)
    except Problem as problem:
        put(wrapped(f"Model: none can answer. {problem.detail}"))
        return None
    if obstacle := await services.models.find_obstacle(workspace_id, found.choice):
        put(wrapped(f"Model: {found.choice.provider} {found.choice.model_id} cannot answer. {obstacle}"))
        return None
    if found.is_demo:
        put(wrapped("Model: the built-in demo provider answers."))
        put(wrapped(PLUG_IN))
    else:
        put(wrapped(f"Model: {found.choice.provider} {found.choice.model_id} answers (from "
                    f"{found.source.replace('_', ' ')})."))
    return found


def _tell_price(answers: "DefaultModel | None") -> None:
    """Say before it happens that the sample asks a provider who may charge for it, and how to do without."""
    if answers and not answers.is_demo:
        put(wrapped(f"Sample: about {SAMPLE_CALLS} requests now go to {answers.choice.provider} "
                    f"{answers.choice.model_id}, which may charge for them; once only. To do without: "
                    "AUTOMATOS_COOK_SAMPLE=false."))


async def _tell_set_up(services: "Services", url: str, *, opens_browser: bool) -> None:
    from automatos.workspaces.service import needs_admin, needs_setup, operator_key, setup_token, sign_in_mode

    settings, mode = services.settings, sign_in_mode(services.settings)
    public = settings.outside_address(url)
    if settings.platform_api_key and not operator_key(settings):
        put(wrapped("Operator's key: none. AUTOMATOS_API_KEY holds a key of a workspace (ak_...), which is the command "
                    "line's."))
    if mode == "none":
        put(wrapped("Sign-in: off (REQUIRE_AUTH=false); everybody on this machine is the owner."))
    elif mode == "local" and await needs_setup(services.database):
        put("")
        put(f"  Open this link to begin: {public}/setup?token={setup_token(settings)}")
        hint = "" if opens_browser else " (`automatos up --open` opens the browser by itself)"
        put(wrapped(f"  It makes the first account{hint}."))
        put("")
    elif mode != "local" and await needs_admin(services.database):
        put("")
        put(f"  Open this link and sign in to begin: {public}/setup?token={setup_token(settings)}")
        put(wrapped("  It makes you the system admin; the sample recipe's workspace becomes yours."))
        put("")


def _tell_sample(sample: "Sample", url: str) -> None:
    """Write the line that newcomers and scripts look for."""
    run = sample.run
    if not run.status.startswith("completed"):
        why = run.error.message if run.error else ""
        put(f"sample recipe {run.status}: {why} See {url}{sample.path}")
        return
    done = [step for step in run.steps if step.status == "completed"]
    answered = "the built-in demo provider" if sample.is_demo else "a real model"
    agents = {step.agent_name for step in done}
    put(f"sample recipe completed: {quantity(len(done), 'step')} by {quantity(len(agents), 'agent')}, "
        f"{run.total_tokens:,} tokens, {duration(run.duration_ms)}, answered by {answered}: {url}{sample.path}")
