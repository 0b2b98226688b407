import { useQuery } from "@tanstack/react-query";
import { KeyRound, TriangleAlert } from "lucide-react";
import { useState } from "react";
import type { ApiKey } from "@/client";
import { formatAgo } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { LoadProblem } from "@/ui/loaded";
import { Panel, Row, Rows } from "@/ui/panel";
import { SkeletonRows } from "@/ui/states";
import { NewKeyDialog } from "./new-key-dialog";
import { keysQuery, useRevokeKey } from "./queries";

/** Why a key that nobody revoked is refused, and what to do. */
const VOID: Record<Exclude<ApiKey["state"], "works">, string> = {
  maker_left:
    "It belongs to somebody who is no member any more. Revoke it and make another one; an owner's may belong to the workspace and stay.",
  maker_unvouched: "Its owner's sign-in at your organisation has run out. It works again once they sign in.",
  expired: "It has expired. Revoke it and make another one.",
};

function ownerOf(key: ApiKey): string {
  if (key.belongs_to === "workspace") return "of the workspace";
  return key.made_by ? `of ${key.made_by}` : "of somebody whose account is gone";
}

/** Keys by which programs use this workspace. */
export function KeysPanel() {
  const { id: workspace } = useWorkspace();
  const keys = useQuery(keysQuery(workspace));
  const [isMaking, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const revoke = useRevokeKey();

  return (
    <Panel
      title="API keys"
      lead="For scripts and other programs, sent as a bearer token. A key works in this workspace only."
      action={
        <Button look="primary" onClick={() => setMaking(true)}>
          <KeyRound aria-hidden className="size-4" /> New key
        </Button>
      }
    >
      {keys.isPending && <SkeletonRows rows={2} />}
      <LoadProblem of={keys} />
      {keys.data?.items.length === 0 && <p className="text-muted">No keys yet. The web app itself needs none.</p>}
      {keys.data && keys.data.items.length > 0 && (
        <Rows>
          {keys.data.items.map((key) => (
            <Row
              key={key.id}
              title={key.name}
              detail={
                <>
                  {`${key.key_prefix}…, ${key.role}, ${ownerOf(key)}, made ${formatAgo(key.created_at)}, last used ${formatAgo(key.last_used_at)}`}
                  {key.state !== "works" && <span className="mt-1 block text-bad">{VOID[key.state]}</span>}
                </>
              }
            >
              {key.state !== "works" && (
                <Badge tone="warn" icon={TriangleAlert}>
                  refused
                </Badge>
              )}
              <Button size="sm" onClick={() => setRevoking(key)}>
                Revoke
              </Button>
            </Row>
          ))}
        </Rows>
      )}
      {isMaking && <NewKeyDialog onClose={() => setMaking(false)} />}
      <Confirm
        open={revoking !== null}
        onOpenChange={(open) => !open && setRevoking(null)}
        title={`Revoke ${revoking?.name ?? "this key"}?`}
        action="Revoke key"
        onConfirm={async () => {
          if (revoking) await revoke.mutateAsync(revoking.id);
        }}
      >
        Programs that use it are refused from then on. It cannot be brought back.
      </Confirm>
    </Panel>
  );
}
