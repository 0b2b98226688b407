import { type ReactNode, useEffect } from "react";

interface PageProps {
  title: string;
  lead?: ReactNode;
  action?: ReactNode;
  children: ReactNode;
}

/** The frame of every page: its title (also the tab's), one sentence, one main action. */
export function Page({ title, lead, action, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Automatos`;
  }, [title]);
  return (
    <div className="mx-auto grid w-full max-w-6xl gap-6 px-4 py-6 sm:px-8 sm:py-8">
      <header className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
        <div className="grid min-w-0 gap-1">
          <h1 className="text-2xl font-semibold tracking-tight break-words">{title}</h1>
          {lead && <div className="max-w-prose text-muted">{lead}</div>}
        </div>
        {action}
      </header>
      {children}
    </div>
  );
}
