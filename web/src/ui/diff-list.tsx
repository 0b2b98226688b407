import { clsx } from "clsx";
import { ArrowRight } from "lucide-react";
import type { ReactNode } from "react";

export interface Difference {
  key: string;
  label: string;
  before: string;
  after: string;
}

interface Sides {
  before: string;
  after: string;
}

interface DiffProps {
  rows: readonly Difference[];
  /** What the two sides are called. */
  sides?: Sides;
  /** Something to choose or say beside one row's label. */
  beside?: (row: Difference) => ReactNode;
}

const SHORT = 48;
const isShort = (text: string) => text.length <= SHORT && !text.includes("\n");

/** What differs between two states of a thing, field by field; short values in one line, long ones side by side. */
export function DiffList({ rows, sides = { before: "Before", after: "After" }, beside }: DiffProps) {
  return (
    <dl className="divide-y rounded-lg border">
      {rows.map((row) =>
        !beside && isShort(row.before) && isShort(row.after) ? (
          <div key={row.key} className="grid gap-x-4 px-4 py-2.5 sm:grid-cols-[14rem_1fr]">
            <dt className="font-medium">{row.label}</dt>
            <dd className="flex min-w-0 flex-wrap items-center gap-x-2">
              <span className="text-muted">{row.before || "nothing"}</span>
              <ArrowRight aria-hidden className="size-4 shrink-0 text-muted" />
              <span className="sr-only">becomes</span>
              <span>{row.after || "nothing"}</span>
            </dd>
          </div>
        ) : (
          <div key={row.key} className="grid gap-1.5 px-4 py-3">
            <dt className="flex flex-wrap items-center justify-between gap-2 font-medium">
              {row.label}
              {beside?.(row)}
            </dt>
            <dd className="grid min-w-0 gap-2 sm:grid-cols-2">
              <Side name={sides.before} text={row.before} tone="bg-sunken" />
              <Side name={sides.after} text={row.after} tone="bg-accent-soft" />
            </dd>
          </div>
        ),
      )}
    </dl>
  );
}

function Side({ name, text, tone }: { name: string; text: string; tone: string }) {
  return (
    <div className={clsx("max-h-60 min-w-0 overflow-y-auto rounded-lg px-3 py-2", tone)}>
      <p className="text-sm text-muted">{name}</p>
      <p className="wrap-anywhere whitespace-pre-wrap">{text || <span className="text-muted">nothing</span>}</p>
    </div>
  );
}
