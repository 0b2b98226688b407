"""The settings of a command: its options before the environment."""

import os
from typing import ClassVar

from pydantic import ValidationError

from automatos.kernel.config import Settings, unknown_variables
from automatos.kernel.errors import Problem
from automatos.kernel.terminal import say


class SettingsInvalid(Problem):
    """Variables of the environment have values that cannot be; `errors` names each."""

    code: ClassVar[str] = "settings_invalid"
    title: ClassVar[str] = "The settings cannot be used"


def read_settings(**options: object) -> Settings:
    """Return the settings, options before environment, and report AUTOMATOS_ variables that mean nothing.

    Raises:
        SettingsInvalid: a variable has a value that cannot be; each is named.
    """
    os.environ.update({f"AUTOMATOS_{name.upper()}": str(value) for name, value in options.items() if value is not None})
    for name in unknown_variables():
        say(f"warning: {name} is set but means nothing here; is it a typing mistake?")
    try:
        return Settings()  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False)]
        raise SettingsInvalid("The settings cannot be used.", errors=faults) from None
