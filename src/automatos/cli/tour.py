"""The one-minute tour: the examples applied to a running server, one of them cooked before one's eyes."""

from automatos.cli.access import find_access, home
from automatos.cli.apply import apply
from automatos.cli.client import Client
from automatos.cli.console import CommandFailed, say
from automatos.cli.cook import start
from automatos.cli.machine import on_machine
from automatos.cli.signin import by_home
from automatos.cli.watch import watch
from automatos.kernel.running import read_note


def take_tour(name: str) -> int:
    """Apply every example, cook the named one and follow it; returns the exit code."""
    client = _client()
    folder = on_machine("package_file", "examples") / "recipes"
    names = list[str]()
    for applied in apply(client, [folder]):
        names.append(applied["recipe"]["template_id"])
        say(f"recipe {names[-1]} {applied['action']}, {len(applied['agents'])} agents")
    if name not in names:
        raise CommandFailed(f"there is no example {name!r}", f"choose one of: {', '.join(names)}")
    default = client.get("/api/models/default")
    model = f"{default['provider']} {default['model_id']}"
    say(f"cooking {name}; who answers: {'the built-in demo provider, no model' if default['is_demo'] else model}")
    return watch(client, start(client, name, [])["run_id"], as_json=False, exit_status=True)


def _client() -> Client:
    """Return a signed-in client; on the server's own machine a key is made where there is none."""
    access = find_access()
    note = read_note(home())
    if access.is_signed_in or note is None or note.url != access.url:
        return Client(access)

    say(f"signing in to {note.url} by access to {home()} (undo it with: automatos auth logout)")
    return Client(by_home())
