import { clsx } from "clsx";
import { type ReactNode, useEffect } from "react";

interface PageProps {
  title: string;
  lead?: ReactNode;
  action?: ReactNode;
  children: ReactNode;
  /** For tables and what is read side by side; forms read better narrow. */
  wide?: boolean;
}

/** The frame of every page: its title (also the tab's), one sentence, one main action. */
export function Page({ title, lead, action, children, wide = false }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Automatos`;
  }, [title]);
  return (
    <div
      className={clsx(
        "mx-auto grid w-full grid-cols-[minmax(0,1fr)] gap-6 px-4 py-6 sm:px-8 sm:py-8",
        wide ? "max-w-[92rem]" : "max-w-6xl",
      )}
    >
      <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="grid min-w-0 gap-1">
          <h1 dir="auto" className="text-2xl font-semibold tracking-tight wrap-anywhere">
            {title}
          </h1>
          {lead && <div className="max-w-prose wrap-anywhere text-muted">{lead}</div>}
        </div>
        {action}
      </header>
      {children}
    </div>
  );
}
