import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import type { Credential } from "@/client/system";
import { formatAgo } from "@/lib/format";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { LoadProblem } from "@/ui/loaded";
import { Panel, Row, Rows } from "@/ui/panel";
import { SkeletonRows } from "@/ui/states";
import { credentialsQuery, credentialTypesQuery } from "./queries";

const TESTS = {
  passed: { label: "Works", tone: "ok" },
  failed: { label: "Refused", tone: "bad" },
} as const;

interface Props {
  onAdd: () => void;
  onOpen: (id: string) => void;
}

/** Every stored credential: what it is for and whether it works, never what it holds. */
export function CredentialsPanel({ onAdd, onOpen }: Props) {
  const { id: workspace } = useWorkspace();
  const mayManage = useCan("admin");
  const credentials = useQuery(credentialsQuery(workspace));
  const types = useQuery(credentialTypesQuery(workspace)).data?.items ?? [];
  const nameOf = (name: string) => types.find((one) => one.name === name)?.display_name ?? name;

  return (
    <Panel
      title="Credentials"
      lead="Keys and passwords that the agents of this workspace work with. They are stored encrypted, come before keys of the server’s environment, and are never shown again."
      action={
        mayManage && (
          <Button look="primary" onClick={onAdd}>
            <Plus aria-hidden className="size-4" /> Add a credential
          </Button>
        )
      }
    >
      {credentials.isPending && <SkeletonRows rows={2} />}
      <LoadProblem of={credentials} />
      {credentials.data?.items.length === 0 && (
        <p className="text-muted">None are stored in this workspace. Add the key of a model provider to begin.</p>
      )}
      {credentials.data && credentials.data.items.length > 0 && (
        <Rows>
          {credentials.data.items.map((credential) => (
            <Row
              key={credential.id}
              title={credential.name}
              detail={[
                nameOf(credential.credential_type),
                credential.hint && `ends in ${credential.hint.replace("…", "")}`,
                credential.last_used_at ? `last used ${formatAgo(credential.last_used_at)}` : "not used yet",
              ]
                .filter(Boolean)
                .join(", ")}
            >
              {credential.environment !== "production" && <Badge tone="neutral">{credential.environment}</Badge>}
              <StateBadge credential={credential} />
              <Button size="sm" onClick={() => onOpen(credential.id)}>
                Open<span className="sr-only"> {credential.name}</span>
              </Button>
            </Row>
          ))}
        </Rows>
      )}
    </Panel>
  );
}

/** The one thing to know about a credential: that it cannot be used, or how its last test went. */
export function StateBadge({ credential }: { credential: Credential }) {
  if (!credential.is_readable) return <Badge tone="bad">Cannot be opened</Badge>;
  if (credential.is_expired) return <Badge tone="bad">Expired</Badge>;
  if (!credential.is_active) return <Badge tone="warn">Switched off</Badge>;
  const look = TESTS[credential.test_status as keyof typeof TESTS];
  if (!look) return null;
  return (
    <span title={credential.test_message}>
      <Badge tone={look.tone}>{look.label}</Badge>
    </span>
  );
}
