import { type ReactNode, useEffect } from "react";
import { underBase } from "@/lib/own-path";

interface Props {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
  wide?: boolean;
}

/** The frame of the pages before a workspace: set-up, sign-in, invitation. */
export function Entrance({ title, lead, children, wide }: Props) {
  useEffect(() => {
    document.title = `${title} · Automatos`;
  }, [title]);
  return (
    <main className="grid min-h-dvh content-start justify-items-center px-4 py-10 sm:content-center">
      <div className={`w-full ${wide ? "max-w-2xl" : "max-w-md"}`}>
        <p className="mb-6 flex items-center gap-2.5 font-semibold">
          <img src={underBase("/favicon.svg")} alt="" className="size-8" />
          Automatos
        </p>
        <div className="card p-6 sm:p-8">
          <h1 className="text-2xl font-semibold tracking-tight">{title}</h1>
          {lead && <div className="mt-1 text-pretty text-muted">{lead}</div>}
          <div className="mt-6">{children}</div>
        </div>
      </div>
    </main>
  );
}
