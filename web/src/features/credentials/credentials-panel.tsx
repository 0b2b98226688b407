import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import type { Credential, Provider } from "@/client";
import { formatAgo } from "@/lib/format";
import { asProblem } from "@/lib/problem";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Dialog } from "@/ui/dialog";
import { Panel, Row, Rows } from "@/ui/panel";
import { ProblemNote } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";
import { KeyForm } from "./key-form";
import { credentialsQuery, useDeleteCredential, useTestCredential } from "./queries";

const TESTS = {
  passed: { label: "Works", tone: "ok" },
  failed: { label: "Refused", tone: "bad" },
} as const;

/** The keys of model providers that this workspace has stored. */
export function CredentialsPanel({ providers }: { providers: Provider[] }) {
  const { id: workspace } = useWorkspace();
  const mayManage = useCan("admin");
  const credentials = useQuery(credentialsQuery(workspace));
  const [isAdding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<Credential | null>(null);
  const remove = useDeleteCredential();
  const nameOf = (name: string) => providers.find((one) => one.name === name)?.display_name ?? name;

  return (
    <Panel
      title="Credentials"
      lead="Keys of model providers, used by the agents of this workspace; they come before keys of the server’s environment."
      action={
        mayManage && (
          <Button look="primary" onClick={() => setAdding(true)}>
            <Plus aria-hidden className="size-4" /> Add a key
          </Button>
        )
      }
    >
      {credentials.isPending && <SkeletonRows rows={2} />}
      {credentials.isError && <ProblemNote error={credentials.error} onRetry={() => credentials.refetch()} />}
      {credentials.data?.items.length === 0 && <p className="text-muted">No keys are stored in this workspace.</p>}
      {credentials.data && credentials.data.items.length > 0 && (
        <Rows>
          {credentials.data.items.map((credential) => (
            <Row
              key={credential.id}
              title={credential.name}
              detail={`${nameOf(credential.provider)}, ends in ${credential.hint.replace("…", "")}, last used ${formatAgo(credential.last_used_at)}`}
            >
              <TestBadge credential={credential} />
              {mayManage && (
                <>
                  <TestButton credential={credential} />
                  <Button size="sm" onClick={() => setLeaving(credential)}>
                    Delete
                  </Button>
                </>
              )}
            </Row>
          ))}
        </Rows>
      )}
      <Dialog open={isAdding} onOpenChange={setAdding} title="Add a provider’s key">
        <KeyForm providers={providers} onSaved={() => setAdding(false)} />
      </Dialog>
      <Confirm
        open={leaving !== null}
        onOpenChange={(open) => !open && setLeaving(null)}
        title={`Delete ${leaving?.name ?? "this key"}?`}
        action="Delete key"
        onConfirm={async () => {
          if (leaving) await remove.mutateAsync(leaving.id);
        }}
      >
        Agents that need it stop working until the provider has another key.
      </Confirm>
    </Panel>
  );
}

function TestBadge({ credential }: { credential: Credential }) {
  const look = TESTS[credential.test_status as keyof typeof TESTS];
  if (!look) return null;
  return (
    <span title={credential.test_message}>
      <Badge tone={look.tone}>{look.label}</Badge>
    </span>
  );
}

function TestButton({ credential }: { credential: Credential }) {
  const test = useTestCredential();
  function run() {
    test.mutate(credential.id, {
      onSuccess: ({ status, message }) => (status === "passed" ? toast.success(message) : toast.error(message)),
      onError: (error) => toast.error(asProblem(error).message),
    });
  }
  return (
    <Button size="sm" busy={test.isPending} onClick={run}>
      Test
    </Button>
  );
}
