import type { ReactNode } from "react";

/** A few figures of one thing, side by side. */
export function Stats({ children }: { children: ReactNode }) {
  return <dl className="grid grid-cols-2 gap-3 sm:gap-4 lg:grid-cols-4">{children}</dl>;
}

interface StatProps {
  label: string;
  value: ReactNode;
  hint?: ReactNode;
}

export function Stat({ label, value, hint }: StatProps) {
  return (
    <div className="card grid content-start gap-0.5 p-4">
      <dt className="text-sm text-muted">{label}</dt>
      <dd className="grid gap-0.5">
        <span className="text-xl font-semibold wrap-anywhere tabular">{value}</span>
        {hint && <span className="text-sm text-muted">{hint}</span>}
      </dd>
    </div>
  );
}

/** Facts by name, as in "Model: x". */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="grid gap-x-6 gap-y-3 sm:grid-cols-[minmax(8rem,auto)_1fr]">{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid min-w-0 gap-0.5 sm:col-span-2 sm:grid-cols-subgrid">
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 wrap-anywhere">{children}</dd>
    </div>
  );
}
