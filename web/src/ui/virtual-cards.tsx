import { memo, type ReactNode, useRef } from "react";
import { useColumns, useVirtualRows } from "./virtual";

interface CardsProps<Item> {
  label: string;
  items: readonly Item[];
  /** All items there are, also those not loaded yet. */
  total: number;
  keyOf: (item: Item) => string | number;
  /** Every card has this height, in px. */
  height: number;
  /** The least width of a card, in px. */
  width: number;
  onEnd?: () => void;
  children: (item: Item) => ReactNode;
}

const GAP_PX = 16;
const MOST_COLUMNS = 3;
const OVERSCAN = 2;
const rowKey = (index: number) => index;

/** Cards in as many columns as fit; of thousands, only those in sight are in the page. */
export function VirtualCards<Item>({ label, items, total, keyOf, height, width, onEnd, children }: CardsProps<Item>) {
  const list = useRef<HTMLUListElement>(null);
  const columns = useColumns(list, width, MOST_COLUMNS);
  const rows = useVirtualRows({
    box: list,
    count: Math.ceil(items.length / columns),
    estimate: height + GAP_PX,
    keyOf: rowKey,
    overscan: OVERSCAN,
    onEnd,
  });
  const cells = rows.items.flatMap(({ index }) => {
    const from = index * columns;
    return items.slice(from, from + columns).map((item, at) => ({ item, place: from + at + 1 }));
  });
  return (
    <ul
      ref={list}
      aria-label={label}
      className="grid gap-4"
      style={{
        gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
        gridAutoRows: height,
        paddingTop: rows.before,
        paddingBottom: rows.after,
      }}
    >
      {cells.map(({ item, place }) => (
        <Cell
          key={keyOf(item)}
          item={item}
          place={place}
          total={total}
          draw={children as (item: unknown) => ReactNode}
        />
      ))}
    </ul>
  );
}

interface CellProps {
  item: unknown;
  place: number;
  total: number;
  draw: (item: unknown) => ReactNode;
}

/** Drawn once, however often the list around it scrolls. */
const Cell = memo(function Cell({ item, place, total, draw }: CellProps) {
  return (
    <li aria-setsize={total} aria-posinset={place}>
      {draw(item)}
    </li>
  );
});
