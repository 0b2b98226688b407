import type { ReactNode } from "react";

interface Props {
  title: string;
  lead?: ReactNode;
  action?: ReactNode;
  children: ReactNode;
}

/** One subject of a page with its own heading and, at most, one action. */
export function Panel({ title, lead, action, children }: Props) {
  return (
    <section className="card grid min-w-0 grid-cols-[minmax(0,1fr)] gap-4 p-4 sm:p-6">
      <header className="flex flex-wrap items-start justify-between gap-3">
        <div className="grid gap-0.5">
          <h2 className="text-lg font-semibold">{title}</h2>
          {lead && <p className="max-w-prose text-muted">{lead}</p>}
        </div>
        {action}
      </header>
      {children}
    </section>
  );
}

/** A list of things with what one can do with each. */
export function Rows({ children }: { children: ReactNode }) {
  return <ul className="divide-y rounded-lg border">{children}</ul>;
}

interface RowProps {
  title: ReactNode;
  detail?: ReactNode;
  children?: ReactNode;
}

export function Row({ title, detail, children }: RowProps) {
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3">
      <div className="min-w-0 flex-1 basis-36">
        <p dir="auto" className="font-medium wrap-anywhere">
          {title}
        </p>
        {detail && <p className="text-sm wrap-anywhere text-muted">{detail}</p>}
      </div>
      {children}
    </li>
  );
}
