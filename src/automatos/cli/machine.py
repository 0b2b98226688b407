"""What commands of the server's own machine do: the server's code, named here and imported when it is called.

Everything else in this package speaks HTTP. What is named here takes seconds or a whole server with it, so that nobody
pays for it who only asks for help; the same goes for YAML.
"""

from importlib import import_module
from typing import Any

COMMANDS = "automatos.entrypoints.commands"
PLACES = {
    "run_server": f"{COMMANDS}.running",
    "run_worker": f"{COMMANDS}.running",
    "check_machine": f"{COMMANDS}.running",
    "write_description": "automatos.entrypoints.openapi",
    "upgrade_database": f"{COMMANDS}.database",
    "seed_database": f"{COMMANDS}.database",
    "rotate_server_key": f"{COMMANDS}.database",
    "back_up": f"{COMMANDS}.backups",
    "restore": f"{COMMANDS}.backups",
    "find_admins": f"{COMMANDS}.administration",
    "make_admin": f"{COMMANDS}.administration",
    "unmake_admin": f"{COMMANDS}.administration",
    "find_workspaces": f"{COMMANDS}.administration",
    "change_plan": f"{COMMANDS}.administration",
    "make_owner_key": f"{COMMANDS}.administration",
    "find_recipe_faults": f"{COMMANDS}.files",
    "check_skills": f"{COMMANDS}.files",
    "check_skill": f"{COMMANDS}.files",
    "package_file": "automatos.entrypoints.startup",
    "read_documents": "automatos.kernel.documents",
    "read_json": "automatos.kernel.documents",
}
"""Functions by name, each with its module."""


def on_machine(function: str, /, *given: Any, **named: Any) -> Any:
    """Import a function that `PLACES` names, and call it."""
    return getattr(import_module(PLACES[function]), function)(*given, **named)
