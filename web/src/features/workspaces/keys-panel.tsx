import { useQuery } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { type FormEvent, useState } from "react";
import type { ApiKey, Role } from "@/client";
import { formatAgo } from "@/lib/format";
import { asProblem } from "@/lib/problem";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Dialog, DialogActions } from "@/ui/dialog";
import { SelectField, TextField } from "@/ui/field";
import { LoadProblem } from "@/ui/loaded";
import { Panel, Row, Rows } from "@/ui/panel";
import { ProblemNote } from "@/ui/problem";
import { Secret } from "@/ui/secret";
import { SkeletonRows } from "@/ui/states";
import { keysQuery, useCreateKey, useRevokeKey } from "./queries";

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
              detail={`${key.key_prefix}…, ${key.role}, made ${formatAgo(key.created_at)}, last used ${formatAgo(key.last_used_at)}`}
            >
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

function NewKeyDialog({ onClose }: { onClose: () => void }) {
  const create = useCreateKey();
  const problem = create.error ? asProblem(create.error) : null;

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    create.mutate({ name: String(form.get("name")).trim(), role: form.get("role") as Role });
  }

  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title="New API key">
      {create.data ? (
        <>
          <Secret label={create.data.name} text={create.data.key} />
          <p className="mt-2 text-sm text-muted">Copy it now: it is stored as a hash and cannot be shown again.</p>
          <DialogActions>
            <Button look="primary" onClick={onClose}>
              Done
            </Button>
          </DialogActions>
        </>
      ) : (
        <form onSubmit={submit} className="grid gap-2">
          <TextField
            label="Name"
            name="name"
            required
            maxLength={200}
            hint="What will use it, for instance “nightly report”."
            error={problem?.forField("name")}
          />
          <SelectField label="May do as much as" name="role" defaultValue="editor">
            <option value="viewer">a viewer (read)</option>
            <option value="editor">an editor (create and cook)</option>
            <option value="admin">an admin (manage)</option>
          </SelectField>
          {problem && problem.fields.length === 0 && <ProblemNote error={problem} />}
          <DialogActions>
            <Button onClick={onClose}>Not now</Button>
            <Button type="submit" look="primary" busy={create.isPending}>
              Make the key
            </Button>
          </DialogActions>
        </form>
      )}
    </Dialog>
  );
}
