import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { Role } from "@/client";
import { CredentialsPanel } from "@/features/credentials/credentials-panel";
import { DefaultModelPanel, ProvidersPanel } from "@/features/llm/models-panel";
import { providersQuery } from "@/features/llm/queries";
import { AuditPanel } from "@/features/workspaces/audit-panel";
import { KeysPanel } from "@/features/workspaces/keys-panel";
import { MembersPanel } from "@/features/workspaces/members-panel";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Page } from "@/ui/page";
import { ProblemNote } from "@/ui/problem";

const route = getRouteApi("/w/$workspace/settings/{-$section}");

const SECTIONS: { id: string; label: string; role: Role }[] = [
  { id: "models", label: "Models", role: "viewer" },
  { id: "credentials", label: "Credentials", role: "editor" },
  { id: "members", label: "Members", role: "viewer" },
  { id: "keys", label: "API keys", role: "admin" },
  { id: "audit", label: "Audit log", role: "admin" },
];

export function SettingsPage() {
  const { section = "models" } = route.useParams();
  const workspace = useWorkspace();
  const may: Record<string, boolean> = { viewer: true, editor: useCan("editor"), admin: useCan("admin") };
  const shown = SECTIONS.filter((one) => may[one.role]);
  const isShown = (id: string) => id === section && shown.some((one) => one.id === id);
  return (
    <Page title="Settings" lead={`Of the workspace ${workspace.name}.`}>
      <nav aria-label="Settings" className="-mb-2 flex gap-1 overflow-x-auto border-b">
        {shown.map(({ id, label }) => (
          <Link
            key={id}
            to="/w/$workspace/settings/{-$section}"
            from="/w/$workspace"
            params={{ section: id }}
            aria-current={section === id ? "page" : undefined}
            className="border-b-2 border-transparent px-3 py-2 whitespace-nowrap text-muted hover:text-ink aria-[current=page]:border-accent aria-[current=page]:font-medium aria-[current=page]:text-accent"
          >
            {label}
          </Link>
        ))}
      </nav>
      {isShown("models") && (
        <>
          <DefaultModelPanel />
          <ProvidersPanel />
        </>
      )}
      {isShown("credentials") && <Credentials />}
      {isShown("members") && <MembersPanel />}
      {isShown("keys") && <KeysPanel />}
      {isShown("audit") && <AuditPanel />}
      {!shown.some((one) => one.id === section) && (
        <p className="text-muted">There are no such settings, or your role here does not reach them.</p>
      )}
    </Page>
  );
}

function Credentials() {
  const { id: workspace } = useWorkspace();
  const providers = useQuery(providersQuery(workspace));
  if (providers.isError) return <ProblemNote error={providers.error} onRetry={() => providers.refetch()} />;
  return <CredentialsPanel providers={providers.data?.items ?? []} />;
}
