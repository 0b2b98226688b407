"""In how many files a fact is written by hand. These may only sink."""

from tests.places import places_of, providers, settings_of_an_agent

MOST_PLACES = {
    "auto_start": 9, "cpu_percent": 6, "environment_note": 2, "logging_level": 3, "max_concurrent_tasks": 9,
    "max_iterations": 13, "memory_mb": 4, "network_bandwidth": 4, "performance_monitoring": 4, "priority_level": 13,
    "retry_attempts": 2, "skill_loading": 2, "timeout_seconds": 7,
}
"""What is named in many is asked for by the published answers of other packages, or is a word that tasks have, too."""


def test_each_setting_of_an_agent_is_named_in_so_many_files() -> None:
    found = {name: places_of(name) for name in settings_of_an_agent()}
    print(*(f"{len(files):3} {name}: {' '.join(files)}" for name, files in found.items()), sep="\n")

    assert set(found) == set(MOST_PLACES)
    assert {name: files for name, files in found.items() if len(files) > MOST_PLACES[name]} == {}
    assert all("src/automatos/agents/types.py" in files for files in found.values())


CREDENTIALS, LLM = "src/automatos/credentials", "src/automatos/llm"
ROW, CATALOGUE = f"{CREDENTIALS}/providers.yaml", f"{LLM}/seeds/models.yaml"
NAMED_BESIDE = {
    "azure": {f"{CREDENTIALS}/base_urls.py", "src/automatos/skills/git/pages.py"},
    "ollama": {f"{CREDENTIALS}/base_urls.py", f"{LLM}/errors.py"},
    "google": {f"{LLM}/providers/openai.py"},
    "mistral": {f"{LLM}/choices.py"},
    "xai": {f"{LLM}/errors.py", "src/automatos/kernel/telemetry.py"},
    "vllm": {"src/automatos/cli/model.py"},
}
"""Addresses that two of them have of their own; the rest are a cloud's or a model's name, a form of key, an example."""


def test_a_provider_is_named_in_its_row_and_in_the_catalogue_of_models() -> None:
    found = {name: set(places_of(name)) - {ROW, CATALOGUE} for name in providers()}
    print(found)

    assert {name: files for name, files in found.items() if files} == NAMED_BESIDE
    assert all(ROW in places_of(name) for name in providers())
