"""Reports as models write them, read without losing anything."""

import orjson
import pytest

from automatos.heartbeats.findings import actions_of, read_findings
from automatos.heartbeats.types import Finding

LISTED = '[{"check": "disk", "detail": "90 % full", "severity": "warning"}]'
DISK = Finding("disk", "90 % full", "warning")


@pytest.mark.parametrize(("report", "expected"), [
    (f"All fine but one.\n\n```json\n{LISTED}\n```", [DISK]),
    (f"```\n{LISTED}\n```\n", [DISK]),
    (f"Bye.\n```JSON\n{LISTED}\n```\nThat is all.", [DISK]),
    (LISTED, [DISK]),
    (f'```json\n{{"findings": {LISTED}}}\n```', [DISK]),
    (f"```json\n[]\n```\nand then\n```json\n{LISTED}\n```", [DISK]),
    (f"```json\n{LISTED}\n```\n```python\nprint('not a list')\n```", [DISK]),
    ("```json\n[]\n```", []),
    ("", []),
    ("  \n ", []),
    ("The disk is nearly full.", [Finding("report", "The disk is nearly full.")]),
    ('```json\n["the disk is full"]\n```', [Finding("report", "the disk is full")]),
    ('```json\n[{"check": "disk", "message": "full"}]\n```', [Finding("disk", "full")]),
    ('```json\n[{"detail": "full", "severity": "HIGH"}]\n```', [Finding("report", "full", "critical")]),
    ('```json\n[{"check": "disk", "detail": "full", "severity": "odd"}]\n```', [Finding("disk", "full")]),
    ('```json\n[{"disk": 90}]\n```', [Finding("report", '{"disk":90}')]),
    ("```json\n[{broken\n```", [Finding("report", "```json\n[{broken\n```")]),
])
def test_reads_what_was_found(report: str, expected: list[Finding]) -> None:
    assert read_findings(report) == expected


def test_what_is_endless_is_cut() -> None:
    many = "```json\n[" + ",".join(['{"check": "x", "detail": "' + "y" * 9000 + '"}'] * 300) + "]\n```"
    found = read_findings(many)

    assert len(found) == 100
    assert {len(finding.detail) for finding in found} == {2000}
    assert len(read_findings("z" * 9000)[0].detail) == 2000


def test_tool_calls_are_kept_with_their_arguments() -> None:
    calls = [("write_file", {"path": "a.txt", "content": "x" * 9000}), ("calculator", '{"expression": "1+1"}'),
             ("odd", "not json"), ("odder", [1])]

    assert actions_of(calls) == [
        {"tool": "write_file", "params": {"path": "a.txt", "content": "x" * 500}},
        {"tool": "calculator", "params": {"expression": "1+1"}},
        {"tool": "odd", "params": {"arguments": "not json"}},
        {"tool": "odder", "params": {"arguments": [1]}},
    ]


def test_what_cannot_be_stored_costs_no_finding() -> None:
    """JSON of a model may hold what neither the database nor a reader of JSON takes."""
    deep = '{"a":' * 400 + "1" + "}" * 400
    found = read_findings('[{"check": "a\\u0000b", "detail": "\\u0000full"}, ' + deep + "]")
    assert found[0] == Finding("ab", "full")
    assert len(found) == 2

    written = '{"path": "a\\u0000b", "lines": ["' + "x" * 9000 + '"], "more": ' + deep + "}"
    action = actions_of([("write_file", written)])[0]
    assert action["params"]["path"] == "ab"
    assert len(orjson.dumps(action)) < 3000
