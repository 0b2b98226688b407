import { expect, it } from "vitest";
import { initialsOf } from "./avatar";

it.each([
  ["Market scout", "MS"],
  ["Reporter", "RE"],
  ["data-cleaner", "DC"],
  ["Translator (de)", "TD"],
  ["\u{1F916} robot", "\u{1F916}R"],
  ["  ", "?"],
])("%j is %s in short", (name, letters) => {
  expect(initialsOf(name)).toBe(letters);
});
