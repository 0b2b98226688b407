"""Every way to ask a model, by the name that the tables of providers and models use."""

from collections.abc import Mapping

from automatos.kernel.config import Settings
from automatos.llm.providers import ModelProvider, ProviderCall
from automatos.llm.providers.anthropic import AnthropicProvider
from automatos.llm.providers.demo import DemoProvider
from automatos.llm.providers.openai import OpenAIProvider
from automatos.llm.providers.responses import ResponsesProvider
from automatos.llm.providers.switching import SwitchingProvider, lacks_responses, wants_responses
from automatos.llm.providers.written import WrittenCallsProvider


def open_wires(settings: Settings) -> Mapping[str, ModelProvider]:
    """Return the wires of this process."""
    tags = settings.think_tags
    chat, responses = OpenAIProvider(reads_think_tags=tags), ResponsesProvider(reads_think_tags=tags)
    wires: dict[str, ModelProvider] = {
        "openai": SwitchingProvider(chat, responses, wants_responses),
        "responses": SwitchingProvider(responses, chat, lacks_responses),
        "anthropic": AnthropicProvider(reads_think_tags=tags), "only openai": chat, "only responses": responses,
    }
    if settings.written_tool_calls:
        wires = {name: WrittenCallsProvider(wire) for name, wire in wires.items()}
    return wires | {"demo": DemoProvider(settings.demo_delay_ms)}


def wire_for(call: ProviderCall) -> str:
    """Return over which wire a model is asked: as the credential says, else the catalogue, else the provider."""
    provider = call.provider
    if provider.is_wire_chosen and provider.wire != "anthropic":
        return f"only {provider.wire}"
    return provider.wire if provider.is_wire_chosen else call.traits.wire or provider.wire
