"""What the routes of settings ask for: the lists that settings choose from, handed down by the assembly."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Protocol

from fastapi import Depends, Request

from automatos.kernel.services import services_of


class SettingServices(Protocol):
    """What is needed of the process."""

    setting_choices: Mapping[str, Sequence[str]]


async def get_setting_choices(request: Request) -> Mapping[str, Sequence[str]]:
    """Return the lists that other packages keep and settings choose from, by name."""
    return services_of(request, SettingServices).setting_choices


SettingChoices = Annotated[Mapping[str, Sequence[str]], Depends(get_setting_choices)]
