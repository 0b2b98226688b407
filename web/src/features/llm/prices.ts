/** A rate per 1,000 tokens as people read it: dollars for a million. Unknown stays unknown. */
export function perMillion(rate: string | null): string {
  if (rate === null) return "unknown";
  const dollars = Number(rate) * 1000;
  if (dollars === 0) return "free";
  return `$${dollars.toFixed(dollars < 0.1 ? 4 : 2).replace(/(\.\d\d)0+$/, "$1")}`;
}

/** Dollars for a million, as typed, back to the rate per 1,000 that is stored; empty is unknown. */
export function perThousand(typed: string): string | null {
  const text = typed.trim();
  return text === "" ? null : String(Number((Number(text) / 1000).toFixed(8)));
}

/** What stands in a field for a rate: plain dollars for a million. */
export function typedRate(rate: string | null): string {
  return rate === null ? "" : String(Number((Number(rate) * 1000).toFixed(5)));
}

/** How much a model can read at once: "400k" for 400,000. */
export function shortTokens(count: number | null): string {
  if (count === null) return "unknown";
  if (count >= 1_000_000) return `${Number((count / 1_000_000).toFixed(2))}M`;
  return count >= 1000 ? `${Math.round(count / 1000)}k` : String(count);
}
