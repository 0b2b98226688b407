import { describe, expect, test } from "vitest";
import type { Impact } from "@/client/lifecycle";
import { bySeverity, choose, impactOf, isHarmless, NO_CHOICE, type StatusChoice, shutdownOf, unticked } from "./impact";

const confirmation = (id: string) => ({ id, text: `I know about ${id}`, count: 2 });
const impact = (...ids: string[]) => ({ required_confirmations: ids.map(confirmation), impact_token: "t" }) as Impact;

function chosen(...acts: Parameters<typeof choose>[1][]): StatusChoice {
  return acts.reduce(choose, NO_CHOICE);
}

describe("what was confirmed", () => {
  const stop = { kind: "target", target: "inactive" } as const;
  const tick = { kind: "tick", id: "confirm_shutdown", isOn: true } as const;

  test("counts only for the target it was confirmed for", () => {
    expect(chosen(stop, tick).ticked).toEqual(["confirm_shutdown"]);
    expect(chosen(stop, tick, { kind: "target", target: "paused" }).ticked).toEqual([]);
  });

  test("is asked again when the way of stopping or the effects change", () => {
    expect(chosen(stop, tick, { kind: "shutdown", shutdown: "immediate" })).toMatchObject({
      target: "inactive",
      shutdown: "immediate",
      ticked: [],
    });
    expect(chosen(stop, tick, { kind: "changed" })).toMatchObject({ ticked: [], isStale: true });
  });

  test("can be taken back, and ticking twice is ticking once", () => {
    expect(chosen(stop, tick, tick).ticked).toHaveLength(1);
    expect(chosen(stop, tick, { ...tick, isOn: false }).ticked).toEqual([]);
  });
});

test("a stop is graceful unless another way is chosen, and other targets have none", () => {
  expect(shutdownOf(chosen({ kind: "target", target: "maintenance" }))).toBe("graceful");
  expect(
    shutdownOf(chosen({ kind: "shutdown", shutdown: "scheduled" }, { kind: "target", target: "paused" })),
  ).toBeNull();
});

test("a change goes ahead when nothing is left to tick", () => {
  expect(isHarmless(impact())).toBe(true);
  expect(unticked(impact("a", "b"), ["b"]).map((one) => one.id)).toEqual(["a"]);
  expect(unticked(impact("a"), ["a", "of-an-earlier-impact"])).toEqual([]);
});

test("the most serious advice comes first", () => {
  const advice = [
    { type: "info", message: "1" },
    { type: "critical", message: "2" },
    { type: "warning", message: "3" },
    { type: "critical", message: "4" },
  ] as const;
  expect(bySeverity([...advice]).map((one) => one.message)).toEqual(["2", "4", "3", "1"]);
});

test("only a refusal that carries effects is read as one", () => {
  expect(impactOf({ code: "impact_changed", impact: impact("a") })?.impact_token).toBe("t");
  expect(impactOf({ code: "stale_edit" })).toBeNull();
  expect(impactOf({ impact: "x" })).toBeNull();
});
