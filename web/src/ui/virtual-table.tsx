import { clsx } from "clsx";
import { ArrowDown, ArrowUp } from "lucide-react";
import { memo, type ReactNode, useCallback, useRef } from "react";
import { useVirtualRows } from "./virtual";

export interface Column<Row> {
  id: string;
  header: ReactNode;
  cell: (row: Row) => ReactNode;
  /** The word by which the list can be ordered; absent when it cannot. */
  sort?: string;
  className?: string;
}

export interface Sorting {
  by: string;
  order: "asc" | "desc";
}

interface TableProps<Row> {
  label: string;
  rows: readonly Row[];
  /** All rows there are, also those not loaded yet. */
  total: number;
  keyOf: (row: Row) => string | number;
  columns: readonly Column<Row>[];
  sorting?: Sorting;
  onSort?: (sorting: Sorting) => void;
  onEnd?: () => void;
  isChosen?: (row: Row) => boolean;
}

const ROW_PX = 49;
const OVERSCAN = 6;
const DIRECTIONS = { asc: "ascending", desc: "descending" } as const;

/** A table that stays quick with thousands of rows: only those in sight are in the page. */
export function VirtualTable<Row>(props: TableProps<Row>) {
  const { label, rows, total, keyOf, columns, onEnd, isChosen } = props;
  const keyAt = useCallback((index: number) => keyOf(rows[index] as Row), [rows, keyOf]);
  const box = useRef<HTMLDivElement>(null);
  const { items, before, after, measure } = useVirtualRows({
    box,
    count: rows.length,
    estimate: ROW_PX,
    keyOf: keyAt,
    overscan: OVERSCAN,
    onEnd,
  });
  return (
    <div ref={box} className="card relative overflow-x-auto">
      <table aria-label={label} aria-rowcount={total + 1} className="w-full min-w-max text-left">
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) => (
              <Header key={column.id} column={column} sorting={props.sorting} onSort={props.onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          <Gap px={before} />
          {items.map(({ index, key }) => {
            const row = rows[index];
            return (
              row && (
                <TableRow
                  key={key}
                  row={row}
                  index={index}
                  columns={columns as Column<unknown>[]}
                  isChosen={isChosen?.(row) ?? false}
                  measure={measure}
                />
              )
            );
          })}
          <Gap px={after} />
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  row: unknown;
  index: number;
  columns: readonly Column<unknown>[];
  isChosen: boolean;
  measure: (element: Element | null) => void;
}

/** Drawn once, however often the table around it scrolls. */
const TableRow = memo(function TableRow({ row, index, columns, isChosen, measure }: RowProps) {
  return (
    <tr
      ref={measure}
      data-index={index}
      aria-rowindex={index + 2}
      className={clsx("border-t", isChosen ? "bg-accent-soft" : "hover:bg-sunken")}
    >
      {columns.map((column) => (
        <td key={column.id} className={clsx("px-2.5 py-2.5 first:pl-4 last:pr-4", column.className)}>
          {column.cell(row)}
        </td>
      ))}
    </tr>
  );
});

/** Stands for the rows that are not drawn. */
function Gap({ px }: { px: number }) {
  return px > 0 ? <tr aria-hidden style={{ height: px }} /> : null;
}

interface HeaderProps<Row> {
  column: Column<Row>;
  sorting: Sorting | undefined;
  onSort: ((sorting: Sorting) => void) | undefined;
}

function Header<Row>({ column, sorting, onSort }: HeaderProps<Row>) {
  const style = clsx(
    "px-2.5 py-2.5 text-sm font-medium whitespace-nowrap text-muted first:pl-4 last:pr-4",
    column.className,
  );
  const by = column.sort;
  if (!by || !onSort)
    return (
      <th scope="col" className={style}>
        {column.header}
      </th>
    );
  const order = sorting?.by === by ? sorting.order : null;
  const Arrow = order === "desc" ? ArrowDown : ArrowUp;
  return (
    <th scope="col" aria-sort={order ? DIRECTIONS[order] : undefined} className={style}>
      <button
        type="button"
        onClick={() => onSort({ by, order: order === "asc" ? "desc" : "asc" })}
        className="inline-flex items-center gap-1 hover:text-ink"
      >
        {column.header}
        {order && <Arrow aria-hidden className="size-3.5" />}
      </button>
    </th>
  );
}
