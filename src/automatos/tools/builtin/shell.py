"""shell: one command in the sandbox."""

from typing import Any

from automatos.tools.errors import ToolRefused
from automatos.tools.sandbox import Order
from automatos.tools.tool_deps import ToolDeps

DEFAULT_TIMEOUT_S = 30


async def run(arguments: dict[str, Any], deps: ToolDeps) -> str:
    """Run a command in the execution's folder; there is no way to run it outside the sandbox."""
    timeout_s = int(arguments.get("timeout_seconds", DEFAULT_TIMEOUT_S))
    command = str(arguments["command"])
    if "\x00" in command:
        raise ToolRefused("invalid_arguments", "command: it has a NUL character in it.")
    try:
        done = await deps.sandbox.run(
            Order(command, deps.files, timeout_s, deps.context.limits, room=await deps.room()))
    except TimeoutError as error:
        raise ToolRefused("tool_timeout", f"The command did not end within {timeout_s} s and was stopped.") from error
    cut = "\n[output cut]" if done.is_cut else ""
    return f"exit code {done.exit_code}\n{done.output}{cut}"
