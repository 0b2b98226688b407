"""current_datetime: the time in a time zone."""

from typing import Any
from zoneinfo import ZoneInfo

from automatos.kernel.clock import now
from automatos.tools.errors import ToolRefused
from automatos.tools.tool_deps import ToolDeps


async def run(arguments: dict[str, Any], deps: ToolDeps) -> str:
    """Tell the date, time and weekday."""
    del deps
    name = str(arguments.get("timezone", "UTC"))
    try:
        local = now().astimezone(ZoneInfo(name))
    except (ValueError, OSError, KeyError) as error:
        raise ToolRefused(
            "invalid_arguments", f"timezone: {name!r} is not known here. Use a name such as Europe/Berlin, or UTC."
        ) from error
    return f"{local.isoformat(timespec='seconds')} ({local:%A}, {name})"
