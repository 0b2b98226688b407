/** One thing that a pattern says: a sentence, or several points under its name. */
export interface PatternLine {
  name: string;
  points: string[];
  /** Whether the points are one sentence rather than a list. */
  isText: boolean;
}

/** What a pattern says, point by point, whatever it is made of. */
export function linesOf(data: Record<string, unknown>): PatternLine[] {
  return Object.entries(data).map(([name, value]) => ({
    name: wordsOf(name),
    points: pointsOf(value),
    isText: typeof value !== "object" || value === null,
  }));
}

function pointsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(phraseOf);
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).map(([name, one]) => `${wordsOf(name)}: ${phraseOf(one)}`);
  }
  return [phraseOf(value)];
}

function phraseOf(value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(phraseOf).join(", ");
  if (typeof value === "object" && value !== null) {
    return Object.entries(value)
      .map(([name, one]) => `${wordsOf(name)}: ${phraseOf(one)}`)
      .join("; ");
  }
  return String(value).replaceAll("_", " ");
}

const wordsOf = (name: string): string => name.replaceAll("_", " ");
