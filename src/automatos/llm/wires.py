"""Every way to ask a model, by the name that the tables of providers and models use."""

from collections.abc import Mapping

from automatos.kernel.config import Settings
from automatos.llm.providers import ModelProvider
from automatos.llm.providers.anthropic import AnthropicProvider
from automatos.llm.providers.demo import DemoProvider
from automatos.llm.providers.openai import OpenAIProvider
from automatos.llm.providers.responses import ResponsesProvider
from automatos.llm.providers.switching import SwitchingProvider, lacks_responses, wants_responses
from automatos.llm.providers.written import WrittenCallsProvider


def open_wires(settings: Settings) -> Mapping[str, ModelProvider]:
    """Return the wires of this process."""
    chat, responses = OpenAIProvider(reads_think_tags=settings.think_tags), ResponsesProvider()
    wires: dict[str, ModelProvider] = {
        "openai": SwitchingProvider(chat, responses, wants_responses),
        "responses": SwitchingProvider(responses, chat, lacks_responses),
        "anthropic": AnthropicProvider(),
    }
    if settings.written_tool_calls:
        wires = {name: WrittenCallsProvider(wire) for name, wire in wires.items()}
    return wires | {"demo": DemoProvider(settings.demo_delay_ms)}
