import { expect, test } from "vitest";
import { fileNameOf } from "./download";

test("a file is named after the thing, without what file systems dislike", () => {
  expect(fileNameOf("Digest Writer", "yaml")).toBe("digest-writer.yaml");
  expect(fileNameOf("  Zürich: night/shift! ", "yaml")).toBe("zu-rich-night-shift.yaml");
  expect(fileNameOf("…", "yaml")).toBe("file.yaml");
});
