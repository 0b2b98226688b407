"""What can go wrong with settings."""

from automatos.kernel.errors import Problem


class SettingInvalid(Problem):
    """The value does not fit the setting."""

    status = 422
    code = "setting_invalid"
    title = "The value does not fit the setting"

    def __init__(self, category: str, key: str, reason: str) -> None:
        super().__init__(f"{category}/{key}: {reason}", field="value")


class UnknownSetting(Problem):
    """The category is one this server reads, and it reads no such key in it."""

    status = 422
    code = "unknown_setting"
    title = "There is no such setting"

    def __init__(self, category: str, key: str, known: list[str]) -> None:
        super().__init__(f"The category {category!r} has no setting {key!r}. It has: {', '.join(known)}.",
                         field="key", known=known)
