import { useQuery } from "@tanstack/react-query";
import type { SkillDocument } from "@/client/library";
import { useCan, useWorkspace } from "@/lib/workspace";
import { LoadProblem } from "@/ui/loaded";
import { Panel } from "@/ui/panel";
import { SkeletonRows } from "@/ui/states";
import { RestorableVersions } from "@/ui/version-rows";
import { skillVersionsQuery, useRestoreSkill } from "./queries";
import { isOwn, shortSha } from "./words";

/** The states a skill was in; of one's own skills any can be made current again. */
export function SkillVersions({ skill }: { skill: SkillDocument }) {
  const { id: workspace } = useWorkspace();
  const versions = useQuery(skillVersionsQuery(workspace, skill.id));
  const mayRestore = useCan("editor") && isOwn(skill);
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
        <RestorableVersions
          items={versions.data.items.map((one) => ({ ...one, note: shortSha(one.git_commit_sha) }))}
          current={skill.current_version}
          mayRestore={mayRestore}
          onRestore={async (version) => (await restore.mutateAsync({ id: skill.id, version })).current_version}
        >
          It becomes a new version, which agents read from their next task on. The ones in between stay.
        </RestorableVersions>
      )}
    </Panel>
  );
}
