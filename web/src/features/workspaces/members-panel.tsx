import { useQuery } from "@tanstack/react-query";
import { Trash2, UserPlus } from "lucide-react";
import { useState } from "react";
import type { Member, Role } from "@/client";
import { formatAgo, formatTime } from "@/lib/format";
import { asProblem } from "@/lib/problem";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button, IconButton } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { LoadProblem } from "@/ui/loaded";
import { Panel, Row, Rows } from "@/ui/panel";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";
import { InviteDialog } from "./invite-dialog";
import { membersQuery, useChangeRole, useReadmit, useRemoveMember, useRevokeInvitation } from "./queries";

const READMITTED = "They may come in again; their next sign-in does the rest.";
const ROLES: Role[] = ["admin", "editor", "viewer"];

/** Who works here, in which role, and who has been invited. */
export function MembersPanel() {
  const { id: workspace } = useWorkspace();
  const members = useQuery(membersQuery(workspace));
  const mayManage = useCan("admin");
  const [isInviting, setInviting] = useState(false);
  const [leaving, setLeaving] = useState<Member | null>(null);
  const remove = useRemoveMember();
  const revoke = useRevokeInvitation();
  const readmit = useReadmit();

  return (
    <Panel
      title="Members"
      lead="Viewers read; editors create and cook; admins also manage people, keys and settings."
      action={
        mayManage && (
          <Button look="primary" onClick={() => setInviting(true)}>
            <UserPlus aria-hidden className="size-4" /> Invite
          </Button>
        )
      }
    >
      {members.isPending && <SkeletonRows rows={2} />}
      <LoadProblem of={members} />
      {members.data && (
        <Rows>
          {members.data.items.map((member) => (
            <Row key={member.user_id} title={member.name || member.email} detail={member.email}>
              <RoleSelect member={member} isLocked={!mayManage || member.role === "owner"} />
              {mayManage && member.role !== "owner" && (
                <IconButton label={`Remove ${member.name || member.email}`} onClick={() => setLeaving(member)}>
                  <Trash2 aria-hidden className="size-4" />
                </IconButton>
              )}
            </Row>
          ))}
          {members.data.barred.map((one) => (
            <Row
              key={`barred ${one.user_id}`}
              title={one.name || one.email || `account ${one.user_id}`}
              detail="put out here, although the organisation counts them in"
            >
              <Button
                size="sm"
                aria-label={`Let ${one.name || one.email} in again`}
                onClick={() => readmit.mutate(one.user_id, { onSuccess: () => toast.success(READMITTED) })}
              >
                Let in again
              </Button>
            </Row>
          ))}
          {members.data.invitations.map((invitation) => (
            <Row
              key={invitation.id}
              title={invitation.email}
              detail={
                <span title={formatTime(invitation.expires_at)}>
                  invited as {invitation.role}, {formatAgo(invitation.created_at)}
                </span>
              }
            >
              <Button size="sm" onClick={() => revoke.mutate(invitation.id)}>
                Withdraw
              </Button>
            </Row>
          ))}
        </Rows>
      )}
      {isInviting && <InviteDialog roles={ROLES} onClose={() => setInviting(false)} />}
      <Confirm
        open={leaving !== null}
        onOpenChange={(open) => !open && setLeaving(null)}
        title={`Remove ${leaving?.name ?? "this member"}?`}
        action="Remove member"
        onConfirm={async () => {
          if (leaving) await remove.mutateAsync(leaving.user_id);
          toast.success("Removed from this workspace.");
        }}
      >
        They lose access to this workspace at once. What they made stays.
      </Confirm>
    </Panel>
  );
}

function RoleSelect({ member, isLocked }: { member: Member; isLocked: boolean }) {
  const change = useChangeRole();
  if (isLocked) return <span className="text-muted">{member.role}</span>;
  return (
    <select
      aria-label={`Role of ${member.name || member.email}`}
      className="field-box w-32"
      value={member.role}
      disabled={change.isPending}
      onChange={(event) =>
        change.mutate(
          { userId: member.user_id, role: event.target.value as Role },
          { onError: (error) => toast.error(asProblem(error).message) },
        )
      }
    >
      {ROLES.map((role) => (
        <option key={role}>{role}</option>
      ))}
    </select>
  );
}
