"""The one object that holds the parts of a process, as each package sees it: with the parts it asks for."""

from typing import TypeVar

from starlette.requests import HTTPConnection

Needed = TypeVar("Needed")


def services_of(request: HTTPConnection, needed: type[Needed]) -> Needed:
    """Return the services of the process that answers this request, as the protocol of what a package needs of them.

    `entrypoints.services` states of each such protocol that the services keep it, which the type checker proves.
    """
    del needed
    return request.app.state.services
