"""What can go wrong with durable work before it begins."""

from typing import ClassVar

from automatos.kernel.errors import Problem


class EngineRefused(Problem):
    """What AUTOMATOS_ENGINE names cannot be used; the message says why and what to do."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "engine_refused"
    title: ClassVar[str] = "The engine cannot be used"
