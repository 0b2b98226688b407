"""What can go wrong with settings."""

from automatos.kernel.errors import Problem


class SettingInvalid(Problem):
    """The value does not fit the setting."""

    status = 422
    code = "setting_invalid"
    title = "The value does not fit the setting"

    def __init__(self, category: str, key: str, reason: str) -> None:
        super().__init__(f"{category}/{key}: {reason}", field="value")
