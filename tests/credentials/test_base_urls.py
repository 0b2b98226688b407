"""Base URLs as people have them, put right when they are saved and when they are read from the environment."""

import pytest

from automatos.credentials.base_urls import put_right
from automatos.credentials.service import get_provider

V1 = "https://acme.openai.azure.com/openai/v1"
CASES = [
    ("custom", "http://10.0.0.5:8000", "http://10.0.0.5:8000/v1"),
    ("custom", "http://10.0.0.5:8000/", "http://10.0.0.5:8000/v1"),
    ("custom", "http://10.0.0.5:8000/v1/chat/completions", "http://10.0.0.5:8000/v1"),
    ("custom", "http://10.0.0.5:8000/v1/models/", "http://10.0.0.5:8000/v1"),
    ("custom", "http://10.0.0.5:8000/v1/responses?stream=true#x", "http://10.0.0.5:8000/v1"),
    ("custom", " \"https://llm.example.com/api/v3\" ", "https://llm.example.com/api/v3"),
    ("custom", "https://llm.example.com/chat/completions", "https://llm.example.com"),
    ("custom", "llm.example.com/v1", "https://llm.example.com/v1"),
    ("ollama", "localhost:11434", "http://localhost:11434/v1"),
    ("ollama", "192.168.1.2:11434/v1/", "http://192.168.1.2:11434/v1"),
    ("vllm", "http://[::1]:8000", "http://[::1]:8000/v1"),
    ("ollama", "http://localhost:11434/api/chat", "http://localhost:11434/v1"),
    ("ollama", "http://10.0.0.5/api", "http://10.0.0.5/v1"),
    ("custom", "http://localhost:1234/api/v0/models", "http://localhost:1234/v1"),
    ("custom", "http://localhost:3000/api", "http://localhost:3000/api"),
    ("ollama", "ollama:11434", "http://ollama:11434/v1"),
    ("vllm", "gpu.internal:8000", "http://gpu.internal:8000/v1"),
    ("custom", "https://llm.example.com//v1/", "https://llm.example.com/v1"),
    ("custom", "https://api.groq.com", "https://api.groq.com/openai/v1"),
    ("custom", "https://openrouter.ai/api", "https://openrouter.ai/api/v1"),
    ("custom", "https://dashscope-intl.aliyuncs.com", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"),
    ("google", "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.8-flash:generateContent",
     "https://generativelanguage.googleapis.com/v1beta/openai"),
    ("openai", "https://api.openai.com", "https://api.openai.com/v1"),
    ("groq", "https://api.groq.com", "https://api.groq.com/openai/v1"),
    ("google", "https://generativelanguage.googleapis.com/v1beta",
     "https://generativelanguage.googleapis.com/v1beta/openai"),
    ("custom", "https://api.perplexity.ai", "https://api.perplexity.ai"),
    ("anthropic", "https://api.anthropic.com/v1", "https://api.anthropic.com"),
    ("anthropic", "https://api.anthropic.com/v1/messages", "https://api.anthropic.com"),
    ("anthropic", "https://acme.services.ai.azure.com/anthropic/v1/messages",
     "https://acme.services.ai.azure.com/anthropic"),
    ("azure", "https://acme.openai.azure.com", V1),
    ("azure", "https://acme.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2024-10-21", V1),
    ("azure", "https://acme.openai.azure.com/openai/responses?api-version=2025-04-01-preview", V1),
    ("azure", "https://acme.openai.azure.com/openai/v1/", V1),
    ("azure", "https://acme.cognitiveservices.azure.com/", "https://acme.cognitiveservices.azure.com/openai/v1"),
    ("azure", "https://acme.services.ai.azure.com/api/projects/one", "https://acme.services.ai.azure.com/openai/v1"),
    ("azure", "https://acme.services.ai.azure.com/models?api-version=2024-05-01-preview",
     "https://acme.services.ai.azure.com/openai/v1"),
    ("azure", "https://gateway.example.com/team/openai/deployments/x", "https://gateway.example.com/team/openai/v1"),
]


@pytest.mark.parametrize(("provider", "given", "meant"), CASES, ids=[given for _, given, _ in CASES])
def test_an_address_is_put_right_once_and_for_all(provider: str, given: str, meant: str) -> None:
    assert put_right(get_provider(provider), given) == meant
    assert put_right(get_provider(provider), meant) == meant or meant == "https://llm.example.com"


@pytest.mark.parametrize("given", ["", "ftp://x.example", "https://user:pass@x.example/v1", "file:///etc/passwd",
                                   "https://[::1"])
def test_what_is_no_address_of_a_server_is_left_for_the_refusal_that_follows(given: str) -> None:
    assert put_right(get_provider("custom"), given) == given
