"""The built-in tools: one small module each, bound by name to its description in `specs/`."""

from types import MappingProxyType

from automatos.tools.builtin import calculator, clock, fetch, file_ops, research, shell, text_stats
from automatos.tools.tool_deps import Runner

RUNNERS: MappingProxyType[str, Runner] = MappingProxyType({
    "calculator": calculator.run,
    "current_datetime": clock.run,
    "http_fetch": fetch.run,
    "list_directory": file_ops.list_directory,
    "read_file": file_ops.read_file,
    "research": research.run,
    "shell": shell.run,
    "text_stats": text_stats.run,
    "write_file": file_ops.write_file,
})
"""The function of every built-in tool."""
