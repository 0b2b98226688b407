import type { AgentFilters } from "./queries";

export type View = "cards" | "table";

/** What of the roster is in its address. */
export interface RosterSearch {
  q?: string | undefined;
  status?: string | undefined;
  category?: string | undefined;
  tag?: string | undefined;
  sort?: string | undefined;
  order?: "asc" | "desc" | undefined;
  view?: View | undefined;
  /** The agent whose status is being changed. */
  change?: number | undefined;
}

interface Order {
  sort: string;
  order: "asc" | "desc";
  label: string;
}

/** The orders one can choose; the first is the usual one. */
export const ORDERS: readonly [Order, ...Order[]] = [
  { sort: "name", order: "asc", label: "By name" },
  { sort: "created_at", order: "desc", label: "Newest first" },
  { sort: "updated_at", order: "desc", label: "Last changed first" },
  { sort: "last_active_at", order: "desc", label: "Last at work first" },
  { sort: "status", order: "asc", label: "By status" },
  { sort: "total_cost", order: "desc", label: "Most spent first" },
  { sort: "success_rate", order: "desc", label: "Most successful first" },
];

const known = <T extends string>(value: unknown, words: readonly T[]) => words.find((word) => word === value);
const text = (value: unknown) =>
  typeof value === "string" || typeof value === "number" ? String(value) || undefined : undefined;

/** What an address asks of the roster; anything it does not know is left out. */
export function rosterSearchOf(raw: Record<string, unknown>): RosterSearch {
  return {
    q: text(raw.q),
    status: text(raw.status),
    category: text(raw.category),
    tag: text(raw.tag),
    sort: known(
      raw.sort,
      ORDERS.map(({ sort }) => sort),
    ),
    order: known(raw.order, ["asc", "desc"]),
    view: known(raw.view, ["cards", "table"]),
    change: Number.isInteger(raw.change) ? (raw.change as number) : undefined,
  };
}

/** What the server is asked for. */
export function filtersOf({ q, status, category, tag, sort, order }: RosterSearch): AgentFilters {
  const chosen = ORDERS.find((one) => one.sort === sort) ?? ORDERS[0];
  return { search: q, status, category, tag, sort: chosen.sort, order: order ?? chosen.order };
}

/** Whether the roster shows only some of the agents. */
export const isFiltered = ({ q, status, category, tag }: RosterSearch) => Boolean(q || status || category || tag);

export const NO_FILTERS = { q: undefined, status: undefined, category: undefined, tag: undefined };

const VIEW_KEY = "automatos.agents.view";

/** The view chosen on this device. */
export function chosenView(store: Pick<Storage, "getItem"> = localStorage): View {
  return store.getItem(VIEW_KEY) === "table" ? "table" : "cards";
}

export function chooseView(view: View, store: Pick<Storage, "setItem"> = localStorage): void {
  store.setItem(VIEW_KEY, view);
}
