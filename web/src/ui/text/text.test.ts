import { describe, expect, it } from "vitest";
import { safeAddress } from "./address";
import { beginningOf, blocksOf } from "./blocks";
import { diffLines } from "./diff-lines";
import { levelHeadings } from "./headings";
import { kindOfText, prettyJson } from "./kind";

describe("the kind of a text", () => {
  it.each([
    ["# Title\n\nWords", "markdown"],
    ['{"a": [1, 2]}', "json"],
    [" [1]\n", "json"],
    ["{not json}", "markdown"],
    ["[a link](https://example.com)", "markdown"],
    ["42", "markdown"],
    ["--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b", "diff"],
    ["diff --git a/x b/x\n@@ -1,2 +1,3 @@ def f\n+b", "diff"],
    ["---\ntitle: front matter\n---\n# Words", "markdown"],
    ["Look at this:\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b", "markdown"],
  ])("of %j is %s", (text, kind) => {
    expect(kindOfText(text)).toBe(kind);
  });

  it("lays JSON out and leaves the rest alone", () => {
    expect(prettyJson('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(prettyJson("{half")).toBe("{half");
  });
});

describe("blocks of a growing text", () => {
  it.each([
    ["paragraphs stand alone", "one\n\ntwo", ["one\n", "two"]],
    ["a fence keeps its blank lines", "```py\na\n\nb\n```\n\nend", ["```py\na\n\nb\n```\n", "end"]],
    ["an open fence takes the rest", "x\n\n```\na\n\nb", ["x\n", "```\na\n\nb"]],
    ["a longer fence is not closed by a shorter", "````\n```\n\n```\n````", ["````\n```\n\n```\n````"]],
    ["tildes do not close backticks", "```\n~~~\n\nx\n```", ["```\n~~~\n\nx\n```"]],
    ["a loose list stays one list", "1. a\n\n2. b\n\n   more\n\nafter", ["1. a\n\n2. b\n\n   more\n", "after"]],
    ["nothing is nothing", "\n\n", []],
  ])("%s", (_, text, blocks) => {
    expect(blocksOf(text)).toEqual(blocks);
  });

  it("loses no letter, and earlier blocks stay equal while the last grows", () => {
    const text = "# A\n\n- a\n- b\n\n```\ncode\n\nmore\n```\n\n| a |\n|---|\n| 1 |\n\nend of it";
    let before: string[] = [];
    for (let length = 1; length <= text.length; length++) {
      const now = blocksOf(text.slice(0, length));
      expect(now.slice(0, Math.max(0, before.length - 1)).map((one) => one.trimEnd())).toEqual(
        before.slice(0, -1).map((one) => one.trimEnd()),
      );
      before = now;
    }
    expect(before.join("\n").replaceAll("\n", "")).toBe(text.replaceAll("\n", ""));
  });
});

describe("the beginning of a long text", () => {
  it("is cut where a part ends", () => {
    expect(beginningOf("short", 100)).toBeNull();
    expect(beginningOf(`${"a".repeat(80)}\n\n${"b".repeat(80)}`, 100)).toBe("a".repeat(80));
    expect(beginningOf(`${"a".repeat(80)} ${"b".repeat(80)}`, 100)).toBe("a".repeat(80));
    expect(beginningOf("x".repeat(200), 100)).toHaveLength(100);
  });
});

describe("an address in a stranger's text", () => {
  it.each([
    ["https://example.com/a?b=1#c", "https://example.com/a?b=1#c"],
    ["http://example.com", "http://example.com/"],
    ["mailto:ada@example.com", "mailto:ada@example.com"],
    ["javascript:alert(1)", null],
    ["JaVaScRiPt:alert(1)", null],
    [" \u0001javascript:alert(1)", null],
    ["java\nscript:alert(1)", null],
    ["data:text/html,<script>alert(1)</script>", null],
    ["vbscript:x", null],
    ["file:///etc/passwd", null],
    ["blob:https://example.com/1", null],
    ["/api/agents/1", null],
    ["//example.com/x", null],
    ["../settings", null],
    ["", null],
    [undefined, null],
  ])("%j leads to %j", (address, expected) => {
    expect(safeAddress(address)).toBe(expected);
  });
});

it("tells added, removed and unchanged lines of a diff apart, and file names from both", () => {
  const kinds = diffLines("--- a/x\n+++ b/x\n@@ -1 +1 @@\n same\n-old\n+new\n---x").map((one) => one.kind);
  expect(kinds).toEqual(["place", "place", "place", "same", "removed", "added", "removed"]);
});

it("puts headings below the page's own without a gap, and remembers how big they were written", () => {
  const heading = (tagName: string) => ({ type: "element", tagName, properties: {}, children: [] });
  const root = { type: "root", children: ["h1", "h4", "h2", "h6"].map(heading) };
  levelHeadings(2)(root);
  expect(root.children.map((one) => one.tagName)).toEqual(["h3", "h4", "h4", "h5"]);
  expect(root.children.map((one) => (one.properties as Record<string, unknown>)["data-size"])).toEqual([
    "1",
    "4",
    "2",
    "6",
  ]);
});
