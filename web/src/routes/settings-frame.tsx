import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef } from "react";
import type { Role } from "@/client";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Page } from "@/ui/page";

const SECTIONS: { id: string; label: string; role: Role }[] = [
  { id: "models", label: "Models", role: "viewer" },
  { id: "credentials", label: "Credentials", role: "editor" },
  { id: "general", label: "General", role: "viewer" },
  { id: "members", label: "Members", role: "viewer" },
  { id: "keys", label: "API keys", role: "admin" },
  { id: "audit", label: "Audit log", role: "admin" },
];

interface Props {
  section: string;
  children: ReactNode;
}

/** The frame of every page of settings: which sections there are for this person, and the one that is open. */
export function SettingsFrame({ section, children }: Props) {
  const workspace = useWorkspace();
  const nav = useRef<HTMLElement>(null);
  // On phones the sections are wider than the screen.
  useEffect(() => {
    if (section)
      nav.current?.querySelector("[aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [section]);
  const may: Record<string, boolean> = { viewer: true, editor: useCan("editor"), admin: useCan("admin") };
  const shown = SECTIONS.filter((one) => may[one.role]);
  return (
    <Page title="Settings" lead={`Of the workspace ${workspace.name}.`}>
      <nav ref={nav} aria-label="Settings" className="-mb-2 flex gap-1 overflow-x-auto border-b">
        {shown.map(({ id, label }) => (
          <Link
            key={id}
            to="/w/$workspace/settings/{-$section}"
            from="/w/$workspace"
            params={{ section: id }}
            aria-current={section === id ? "page" : undefined}
            className="border-b-2 border-transparent px-3 py-2 whitespace-nowrap text-muted outline-offset-[-2px] hover:text-ink aria-[current=page]:border-accent aria-[current=page]:font-medium aria-[current=page]:text-accent"
          >
            {label}
          </Link>
        ))}
      </nav>
      {shown.some((one) => one.id === section) ? (
        children
      ) : (
        <p className="text-muted">There are no such settings, or your role here does not reach them.</p>
      )}
    </Page>
  );
}
