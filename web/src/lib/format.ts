/** How numbers, money and times are written everywhere: always with their unit. */

const number = new Intl.NumberFormat("en");
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

export const formatNumber = (value: number): string => number.format(value);

export function formatCount(value: number, one: string, many = `${one}s`): string {
  return `${number.format(value)} ${value === 1 ? one : many}`;
}

/** How many a list has in all; long ones are counted up to a thousand. */
export function formatTotal(page: { total: number; is_total_exact: boolean } | undefined, shown = 0): string {
  if (page?.is_total_exact === false) return `${number.format(Math.max(page.total, shown))}+`;
  return number.format(Math.max(page?.total ?? 0, shown));
}

/** A share from 0 to 1 in whole per cent; null means that there is nothing to take a share of yet. */
export function formatShare(share: number | null | undefined): string {
  return share == null ? "–" : `${Math.round(share * 100)}%`;
}

/** Tokens with their unit; "~" stands before what a provider did not tell and was estimated. */
export function formatTokens(value: number | null | undefined, isEstimated = false): string {
  return value == null ? "unknown tokens" : `${isEstimated ? "~" : ""}${number.format(value)} tok`;
}

/** Dollars from the server's decimal string; null means that no price is known, which is not the same as free. */
export function formatCost(usd: string | null | undefined): string {
  if (usd == null) return "cost unknown";
  const value = Number(usd);
  if (value === 0) return "$0.00";
  return `$${value < 0.01 ? value.toFixed(6).replace(/0+$/, "") : value.toFixed(value < 1 ? 4 : 2)}`;
}

/** What calls cost in all, as the server adds it up: the part whose price is known, and how many have none. */
export interface Costs {
  /** The whole; null while the price of any call is unknown, or nothing was counted yet. */
  cost_usd: string | null | undefined;
  known_cost_usd?: string | null | undefined;
  unpriced_calls?: number | undefined;
}

/** "$0.42", "$0.42 + 3 unpriced", or that nobody knows; an unknown price is never shown as free. */
export function formatCosts({ cost_usd, known_cost_usd, unpriced_calls = 0 }: Costs): string {
  if (cost_usd != null && unpriced_calls === 0) return formatCost(cost_usd);
  const known = Number(known_cost_usd ?? 0);
  if (unpriced_calls > 0 && known > 0)
    return `${formatCost(known_cost_usd)} + ${number.format(unpriced_calls)} unpriced`;
  return "cost unknown";
}

export function formatDuration(ms: number | null | undefined): string {
  if (ms == null) return "–";
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function formatTime(iso: string | null | undefined): string {
  return iso ? day.format(new Date(iso)) : "never";
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** "5 min ago" within a week, the date beyond it. */
export function formatAgo(iso: string | null | undefined, now: number = Date.now()): string {
  if (!iso) return "never";
  const seconds = (new Date(iso).getTime() - now) / 1000;
  if (Math.abs(seconds) > 7 * 86_400) return formatTime(iso);
  const unit = STEPS.find(([, size]) => Math.abs(seconds) >= size);
  return unit ? relative.format(Math.round(seconds / unit[1]), unit[0]) : "just now";
}
