import { expect, test } from "vitest";
import { bodyOf, filesOf, isReadable } from "./skill-draft";

test("the folder holds whatever was typed, quotes and line breaks too", () => {
  const body = { ...bodyOf(), name: "review", description: 'Says "no":\nat times', content: "# Steps" };
  expect(filesOf(body)).toEqual([
    {
      path: "review/SKILL.md",
      content: '---\nname: "review"\ndescription: "Says \\"no\\":\\nat times"\n---\n\n# Steps',
    },
  ]);
});

test("files lie beside the instructions", () => {
  const body = { ...bodyOf(), name: "review", files: [{ path: "references/a.md", content: "a" }] };
  expect(filesOf(body).map((file) => file.path)).toEqual(["review/SKILL.md", "review/references/a.md"]);
});

test("nothing is checked before there is a name, a description and a text", () => {
  expect(isReadable(bodyOf())).toBe(false);
  expect(isReadable({ ...bodyOf(), name: "a", description: "b", content: "c" })).toBe(true);
});
