"""In how many files a fact is written by hand. These may only sink."""

from tests.places import places_of, settings_of_an_agent

MOST_PLACES = {
    "auto_start": 11, "cpu_percent": 8, "environment_note": 4, "logging_level": 4, "max_concurrent_tasks": 11,
    "max_iterations": 15, "memory_mb": 7, "network_bandwidth": 6, "performance_monitoring": 5, "priority_level": 14,
    "retry_attempts": 4, "skill_loading": 4, "timeout_seconds": 8,
}
"""What is named in many is asked for by the published answers of other packages, or is a word that tasks have, too."""


def test_each_setting_of_an_agent_is_named_in_so_many_files() -> None:
    found = {name: places_of(name) for name in settings_of_an_agent()}
    print(*(f"{len(files):3} {name}: {' '.join(files)}" for name, files in found.items()), sep="\n")

    assert {name: len(files) for name, files in found.items()} == MOST_PLACES
    assert all("src/automatos/agents/types.py" in files for files in found.values())
