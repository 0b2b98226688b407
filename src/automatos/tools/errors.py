"""What can go wrong in a tool call; always told to the model, never raised to a caller of the toolbox."""


class ToolRefused(Exception):
    """A call that cannot be done as asked; `code` is stable, `message` is what the model reads."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
