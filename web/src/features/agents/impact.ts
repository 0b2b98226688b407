import type { AgentStatus, Impact, ShutdownType } from "@/client/lifecycle";

type Confirmation = Impact["required_confirmations"][number];
type Recommendation = Impact["impact_analysis"]["recommendations"][number];

/** What a person has chosen so far about a change of status. */
export interface StatusChoice {
  target: AgentStatus | null;
  shutdown: ShutdownType;
  ticked: readonly string[];
  /** Whether the effects changed under the person's hands and are shown anew. */
  isStale: boolean;
}

export const NO_CHOICE: StatusChoice = { target: null, shutdown: "graceful", ticked: [], isStale: false };

export type Choosing =
  | { kind: "target"; target: AgentStatus }
  | { kind: "shutdown"; shutdown: ShutdownType }
  | { kind: "tick"; id: string; isOn: boolean }
  | { kind: "changed" };

/** The choice after one more act. What was confirmed counts only for the change it was confirmed for. */
export function choose(choice: StatusChoice, act: Choosing): StatusChoice {
  switch (act.kind) {
    case "target":
      return { ...NO_CHOICE, target: act.target };
    case "shutdown":
      return { ...choice, shutdown: act.shutdown, ticked: [], isStale: false };
    case "tick": {
      const others = choice.ticked.filter((id) => id !== act.id);
      return { ...choice, ticked: act.isOn ? [...others, act.id] : others };
    }
    case "changed":
      return { ...choice, ticked: [], isStale: true };
  }
}

/** Only a stop can happen in different ways. */
export const asksHow = (target: string | null): boolean => target === "inactive" || target === "maintenance";

/** The way of stopping that a change to this target is asked with. */
export function shutdownOf({ target, shutdown }: StatusChoice): ShutdownType | null {
  return asksHow(target) ? shutdown : null;
}

/** Whether nothing has to be confirmed. */
export const isHarmless = (impact: Impact): boolean => impact.required_confirmations.length === 0;

/** What is still to be ticked. */
export function unticked(impact: Impact, ticked: readonly string[]): Confirmation[] {
  return impact.required_confirmations.filter((one) => !ticked.includes(one.id));
}

const WEIGHT: Record<Recommendation["type"], number> = { critical: 0, warning: 1, info: 2 };

/** The advice with the most serious first. */
export function bySeverity(advice: readonly Recommendation[]): Recommendation[] {
  return advice.toSorted((one, other) => WEIGHT[one.type] - WEIGHT[other.type]);
}

/** The fresh effects that came with a refusal; null when the problem is another one. */
export function impactOf(body: Record<string, unknown>): Impact | null {
  const { impact } = body;
  return impact !== null && typeof impact === "object" && "impact_token" in impact ? (impact as Impact) : null;
}
