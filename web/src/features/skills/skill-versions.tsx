import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { SkillDocument } from "@/client/library";
import { formatAgo } from "@/lib/format";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { LoadProblem } from "@/ui/loaded";
import { Panel, Row, Rows } from "@/ui/panel";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";
import { skillVersionsQuery, useRestoreSkill } from "./queries";
import { isOwn, shortSha } from "./words";

/** The states a skill was in; of one's own skills any can be made current again. */
export function SkillVersions({ skill }: { skill: SkillDocument }) {
  const { id: workspace } = useWorkspace();
  const versions = useQuery(skillVersionsQuery(workspace, skill.id));
  const mayRestore = useCan("editor") && isOwn(skill);
  const [restoring, setRestoring] = useState<number | null>(null);
  const restore = useRestoreSkill();
  return (
    <Panel
      title="Versions"
      lead={
        skill.source === "git"
          ? "This skill is kept by its source: roll the source back to go to an earlier state."
          : undefined
      }
    >
      {versions.isPending && <SkeletonRows rows={3} />}
      <LoadProblem of={versions} />
      {versions.data && (
        <Rows>
          {versions.data.items.map((one) => (
            <Row
              key={one.version}
              title={`Version ${one.version}`}
              detail={[formatAgo(one.created_at), one.author && `by ${one.author}`, shortSha(one.git_commit_sha)]
                .filter(Boolean)
                .join(", ")}
            >
              {one.is_current && <Badge tone="accent">Current</Badge>}
              {mayRestore && !one.is_current && (
                <Button size="sm" onClick={() => setRestoring(one.version)}>
                  Restore<span className="sr-only"> version {one.version}</span>
                </Button>
              )}
            </Row>
          ))}
        </Rows>
      )}
      <Confirm
        open={restoring !== null}
        onOpenChange={(open) => !open && setRestoring(null)}
        title={`Restore version ${restoring}?`}
        action="Restore"
        onConfirm={async () => {
          if (restoring === null) return;
          const saved = await restore.mutateAsync({ id: skill.id, version: restoring });
          toast.success(`Version ${restoring} is back, as version ${saved.current_version}.`);
        }}
      >
        It becomes a new version, which agents read from their next task on. The ones in between stay.
      </Confirm>
    </Panel>
  );
}
