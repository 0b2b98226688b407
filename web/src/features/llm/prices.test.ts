import { expect, test } from "vitest";
import { perMillion, perThousand, shortTokens, typedRate } from "./prices";

test("prices are written for a million tokens, and unknown is not free", () => {
  expect(["0.002", "0.0001", "0.00000725", "0", null].map(perMillion)).toEqual([
    "$2.00",
    "$0.10",
    "$0.0073",
    "free",
    "unknown",
  ]);
});

test("a typed price goes to the server and back unchanged", () => {
  for (const typed of ["2.5", "0.1", "0.0725", "0"]) expect(typedRate(perThousand(typed))).toBe(typed);
  expect(perThousand("2.5")).toBe("0.0025");
  expect(perThousand("  ")).toBeNull();
  expect(typedRate(null)).toBe("");
});

test("context is written short", () => {
  expect([1_050_000, 400_000, 131_072, 900, null].map(shortTokens)).toEqual([
    "1.05M",
    "400k",
    "131k",
    "900",
    "unknown",
  ]);
});
