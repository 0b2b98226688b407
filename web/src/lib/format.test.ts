import { expect, test } from "vitest";
import {
  formatAgo,
  formatCost,
  formatCosts,
  formatCount,
  formatDuration,
  formatShare,
  formatTokens,
  formatTotal,
} from "./format";

test("a long list says that it was not counted to its end", () => {
  expect(formatTotal({ total: 1000, is_total_exact: false })).toBe("1,000+");
  expect(formatTotal({ total: 1000, is_total_exact: false }, 1030)).toBe("1,030+");
  expect(formatTotal({ total: 1000, is_total_exact: true })).toBe("1,000");
});

test("an unknown price is never shown as free", () => {
  expect(formatCost(null)).toBe("cost unknown");
  expect(formatCost("0.000000")).toBe("$0.00");
  expect(formatCost("0.001200")).toBe("$0.0012");
  expect(formatCost("0.123400")).toBe("$0.1234");
  expect(formatCost("12.3456")).toBe("$12.35");
});

test("a sum says what it lacks", () => {
  expect(formatCosts({ cost_usd: "0.42" })).toBe("$0.4200");
  expect(formatCosts({ cost_usd: "0", known_cost_usd: "0", unpriced_calls: 0 })).toBe("$0.00");
  expect(formatCosts({ cost_usd: null, known_cost_usd: "1.5", unpriced_calls: 3 })).toBe("$1.50 + 3 unpriced");
  expect(formatCosts({ cost_usd: null, known_cost_usd: "0", unpriced_calls: 3 })).toBe("cost unknown");
  expect(formatCosts({ cost_usd: null })).toBe("cost unknown");
});

test("numbers carry their unit", () => {
  expect(formatTokens(12, true)).toBe("~12 tok");
  expect(formatShare(1)).toBe("100%");
  expect(formatShare(null)).toBe("–");
  expect(formatTokens(2287)).toBe("2,287 tok");
  expect(formatCount(1, "step")).toBe("1 step");
  expect(formatCount(3, "step")).toBe("3 steps");
  expect([385, 12_340, 61_000, 3_720_000, null].map(formatDuration)).toEqual([
    "385 ms",
    "12.3 s",
    "1 min 1 s",
    "1 h 2 min",
    "–",
  ]);
});

test("recent times are relative", () => {
  const now = Date.parse("2026-01-02T12:00:00Z");
  expect(formatAgo("2026-01-02T11:59:50Z", now)).toBe("just now");
  expect(formatAgo("2026-01-02T11:55:00Z", now)).toBe("5 min. ago");
  expect(formatAgo("2026-01-01T12:00:00Z", now)).toBe("yesterday");
  expect(formatAgo(null, now)).toBe("never");
});
