"""A prompt is counted before it is built: small times small is not let become huge."""

import pytest

from automatos.recipes.errors import PromptTooLong
from automatos.recipes.execution import MAX_PROMPT_CHARS, prompt_of
from automatos.recipes.placeholders import TooLong, fill


@pytest.mark.parametrize(("template", "values"), [
    ("{input.x}" * 2_500, {"input.x": "x" * 100_000}),
    ("{{{input.x}}}" * 50, {"input.x": "x" * 100_000}),
    ("{a}{b}{previous_output}", {"a": "x" * 1_500_000, "b": "y" * 1_500_000, "previous_output": "z" * 1_500_000}),
])
def test_a_prompt_beyond_every_model_is_refused_by_name_and_step(template: str, values: dict[str, str]) -> None:
    with pytest.raises(PromptTooLong, match="'write'") as caught:
        prompt_of("write", template, values)
    assert caught.value.code == "prompt_too_long"
    assert f"{MAX_PROMPT_CHARS:,}" in caught.value.detail


def test_what_fits_is_built_and_what_does_not_is_only_counted() -> None:
    assert prompt_of("s", "{a} and {{a}}", {"a": "x"}) == "x and {a}"
    assert fill("{a}" * 5, {"a": "12"}, limit=25) == "12" * 5
    with pytest.raises(TooLong) as caught:
        fill("{a}" * 1_000_000, {"a": "x" * 1_000_000}, limit=100)
    assert caught.value.size >= 10**12
