import { clsx } from "clsx";
import type { ReactNode } from "react";

export interface Column {
  label: string;
  /** Numbers stand at the right, so that their places line up. */
  isNumber?: boolean;
  /** Its share of the width, so that tables below one another line up; what is left over goes to the others. */
  width?: string;
}

interface TableProps {
  label: string;
  columns: readonly Column[];
  children: ReactNode;
}

/** A table that scrolls sideways by itself where the page is narrow. */
export function Table({ label, columns, children }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls must be reachable by keyboard
    <section className="overflow-x-auto" tabIndex={0} aria-label={label}>
      <table className={clsx("w-full min-w-2xl text-left tabular", columns.some((one) => one.width) && "table-fixed")}>
        <colgroup>
          {columns.map((column) => (
            <col key={column.label} style={column.width ? { width: column.width } : undefined} />
          ))}
        </colgroup>
        <thead className="border-b text-sm text-muted">
          <tr>
            {columns.map((column) => (
              <th
                key={column.label}
                scope="col"
                className={clsx(
                  "px-3 py-2 font-medium whitespace-nowrap first:pl-0 last:pr-0",
                  column.isNumber && "text-right",
                )}
              >
                {column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y">{children}</tbody>
      </table>
    </section>
  );
}

interface CellProps {
  isNumber?: boolean;
  isQuiet?: boolean;
  title?: string;
  children: ReactNode;
}

export function Cell({ isNumber = false, isQuiet = false, title, children }: CellProps) {
  return (
    <td
      title={title}
      className={clsx(
        "px-3 py-2.5 break-words first:pl-0 last:pr-0",
        isNumber && "text-right whitespace-nowrap",
        isQuiet && "text-muted",
      )}
    >
      {children}
    </td>
  );
}
