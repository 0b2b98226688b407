import type { FormEvent } from "react";
import type { Role } from "@/client";
import { asProblem } from "@/lib/problem";
import { Button } from "@/ui/button";
import { Dialog, DialogActions } from "@/ui/dialog";
import { SelectField, TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem";
import { Secret } from "@/ui/secret";
import { useInvite } from "./queries";

interface Props {
  roles: Role[];
  onClose: () => void;
}

/** Makes an invitation and shows its link, which the inviter passes on. */
export function InviteDialog({ roles, onClose }: Props) {
  const invite = useInvite();
  const problem = invite.error ? asProblem(invite.error) : null;

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    invite.mutate({ email: String(form.get("email")).trim(), role: form.get("role") as Role });
  }

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Invite somebody"
      description="You get a link to send to them. It works once, for this email address."
    >
      {invite.data ? (
        <>
          <Secret label={`Link for ${invite.data.email}`} text={invite.data.url} />
          <p className="mt-2 text-sm text-muted">The link is shown only now.</p>
          <DialogActions>
            <Button look="primary" onClick={onClose}>
              Done
            </Button>
          </DialogActions>
        </>
      ) : (
        <form onSubmit={submit} className="grid gap-2">
          <TextField label="Email" name="email" type="email" required error={problem?.forField("email")} />
          <SelectField label="Role" name="role" defaultValue="editor">
            {roles.map((role) => (
              <option key={role}>{role}</option>
            ))}
          </SelectField>
          {problem && problem.fields.length === 0 && <ProblemNote error={problem} />}
          <DialogActions>
            <Button onClick={onClose}>Not now</Button>
            <Button type="submit" look="primary" busy={invite.isPending}>
              Make the link
            </Button>
          </DialogActions>
        </form>
      )}
    </Dialog>
  );
}
