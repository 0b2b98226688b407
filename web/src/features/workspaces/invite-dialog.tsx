import type { Role } from "@/client";
import { useEdited } from "@/lib/edited";
import { asProblem } from "@/lib/problem";
import { Dialog } from "@/ui/dialog";
import { DialogDone, DialogForm } from "@/ui/dialog-form";
import { SelectField, TextField } from "@/ui/field";
import { Secret } from "@/ui/secret";
import { useInvite } from "./queries";

interface Props {
  roles: Role[];
  onClose: () => void;
}

/** Makes an invitation and shows its link, which the inviter passes on. What was typed is kept until it is made. */
export function InviteDialog({ roles, onClose }: Props) {
  const edit = useEdited<{ email: string; role: Role }>(
    { data: { email: "", role: "editor" }, etag: null },
    { keep: { kind: "invitation", id: "" } },
  );
  const { email, role } = edit.draft;
  const invite = useInvite();
  const problem = invite.error ? asProblem(invite.error) : null;
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
          <DialogDone onClose={onClose} />
        </>
      ) : (
        <DialogForm
          kept={edit.kept}
          basis="an empty form"
          problem={problem}
          action="Make the link"
          busy={invite.isPending}
          onSubmit={() => invite.mutate({ email: email.trim(), role }, { onSuccess: edit.discard })}
          onClose={onClose}
        >
          <TextField
            label="Email"
            type="email"
            required
            value={email}
            onChange={(event) => edit.change({ email: event.target.value })}
            error={problem?.forField("email")}
          />
          <SelectField
            label="Role"
            value={role}
            onChange={(event) => edit.change({ role: event.target.value as Role })}
          >
            {roles.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </SelectField>
        </DialogForm>
      )}
    </Dialog>
  );
}
