import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { Ellipsis, Pencil, Power, Trash2 } from "lucide-react";
import { useState } from "react";
import type { SkillDocument } from "@/client/library";
import { skillQuery, useDeleteSkill, useSwitchSkill } from "@/features/skills/queries";
import { SkillFiles, SkillInstructions } from "@/features/skills/skill-detail";
import { SkillVersions } from "@/features/skills/skill-versions";
import { isOwn } from "@/features/skills/words";
import { formatCount } from "@/lib/format";
import { asProblem } from "@/lib/problem";
import { useCan, useWorkspace } from "@/lib/workspace";
import { buttonClass, IconButton } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Loaded } from "@/ui/loaded";
import { Menu, MenuItem } from "@/ui/menu";
import { Page } from "@/ui/page";
import { Tabs, tabOf } from "@/ui/tabs";
import { toast } from "@/ui/toaster";
import { numbered } from "./numbered";

const route = getRouteApi("/w/$workspace/skills/$skillId");

function OneSkill() {
  const { skillId } = route.useParams();
  const { id: workspace } = useWorkspace();
  const skill = useQuery(skillQuery(workspace, Number(skillId)));
  return (
    <Loaded of={skill} page="Skill">
      {(found) => <Detail skill={found} />}
    </Loaded>
  );
}

function Detail({ skill }: { skill: SkillDocument }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const tabs = [
    { id: "instructions", label: "Instructions" },
    { id: "files", label: `Files (${skill.files.length})` },
    { id: "versions", label: "Versions" },
  ];
  const tab = tabOf(tabs, search.tab);
  return (
    <Page title={skill.name} lead={skill.description} action={<Actions skill={skill} />}>
      <Tabs
        label={`About ${skill.name}`}
        tabs={tabs}
        value={tab}
        onChange={(id) => navigate({ search: { tab: id === "instructions" ? undefined : id }, replace: true })}
      >
        {tab === "instructions" && <SkillInstructions skill={skill} />}
        {tab === "files" && (
          <SkillFiles
            skill={skill}
            file={search.file}
            onOpen={(path) => navigate({ search: { tab, file: path }, replace: true, resetScroll: false })}
          />
        )}
        {tab === "versions" && <SkillVersions skill={skill} />}
      </Tabs>
    </Page>
  );
}

function Actions({ skill }: { skill: SkillDocument }) {
  const mayEdit = useCan("editor") && isOwn(skill);
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  const remove = useDeleteSkill();
  const turn = useSwitchSkill();
  if (!mayEdit) return null;
  return (
    <div className="flex items-center gap-2">
      <Link
        to="/w/$workspace/skills/$skillId/edit"
        from="/w/$workspace"
        params={{ skillId: String(skill.id) }}
        className={buttonClass({ look: "primary" })}
      >
        <Pencil aria-hidden className="size-4" /> Edit
      </Link>
      <Menu
        trigger={
          <IconButton label="More">
            <Ellipsis aria-hidden className="size-5" />
          </IconButton>
        }
      >
        <MenuItem
          onSelect={() =>
            turn.mutate(
              { id: skill.id, isOn: !skill.is_active },
              { onError: (error) => toast.error(asProblem(error).message) },
            )
          }
        >
          <Power aria-hidden className="size-4" /> {skill.is_active ? "Switch off" : "Switch on"}
        </MenuItem>
        <MenuItem danger onSelect={() => setDeleting(true)}>
          <Trash2 aria-hidden className="size-4" /> Delete
        </MenuItem>
      </Menu>
      <Confirm
        open={isDeleting}
        onOpenChange={setDeleting}
        title={`Delete ${skill.name}?`}
        action="Delete skill"
        onConfirm={async () => {
          await remove.mutateAsync({ skill, force: skill.agents.length > 0 });
          toast.success(`${skill.name} is deleted.`);
          await navigate({ to: "/w/$workspace/skills", from: "/w/$workspace" });
        }}
      >
        {skill.agents.length > 0
          ? `${formatCount(skill.agents.length, "agent uses", "agents use")} it and will work without it: ${skill.agents.map((one) => one.name).join(", ")}.`
          : "No agent uses it."}
      </Confirm>
    </div>
  );
}

export const SkillPage = numbered("skill", () => route.useParams().skillId, OneSkill);
