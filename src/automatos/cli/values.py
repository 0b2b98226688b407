"""Values of options and arguments, taken as they are where that is right.

typer checks every value with pydantic, one that is not given too, and pydantic takes longer to load than all else that
a short command loads. Texts, flags and defaults need no check; what does (numbers, paths) is left to typer.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer.core
from typer._click import Context
from typer._coercion import RuntimeParam, TypeDescriptor, build_runtime_param

if TYPE_CHECKING:
    from typer.core import _TyperParameter  # pyright: ignore[reportPrivateUsage]


@dataclass(frozen=True)
class PlainValue(RuntimeParam):
    """One option or argument, whose values are checked only where they are not of its type already."""

    descriptor: TypeDescriptor

    def coerce(self, value: Any, param: "_TyperParameter", ctx: Context) -> Any:
        """Return a value as its command takes it."""
        if value is None or self._is_plain(value):
            return super().coerce(value, param, ctx)
        return build_runtime_param(self.descriptor).coerce(value, param, ctx)

    def _is_plain(self, value: Any) -> bool:
        if self.annotation == list[str]:
            return isinstance(value, list | tuple) and all(type(each) is str for each in value)  # pyright: ignore
        return self.annotation in {str, bool, int} and type(value) is self.annotation

    def _coerce_value(self, value: Any, param: "_TyperParameter", ctx: Context) -> Any:
        return list(value) if isinstance(value, list | tuple) else value  # pyright: ignore


def build_plain(descriptor: TypeDescriptor) -> RuntimeParam:
    """Build what typer checks a parameter with."""
    return PlainValue(annotation=descriptor.annotation, parameter_info=descriptor.parameter_info, descriptor=descriptor)


def take_plain_values() -> None:
    """Let typer check only what needs it; its version is pinned for this, and a test says when it no longer works."""
    typer.core.build_runtime_param = build_plain  # pyright: ignore[reportPrivateImportUsage]
