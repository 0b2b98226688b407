import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { contentQuery, skillQuery, useSaveSkill } from "@/features/skills/queries";
import { bodyOf, type Draft } from "@/features/skills/skill-draft";
import { SkillForm } from "@/features/skills/skill-form";
import { asProblem } from "@/lib/problem";
import { useWorkspace } from "@/lib/workspace";
import { Page } from "@/ui/page";
import { ProblemNote } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";

const route = getRouteApi("/w/$workspace/skills/$skillId/edit");

export function NewSkillPage() {
  return (
    <Page
      title="New skill"
      lead="Write once how a kind of task is done well; give it to every agent that does such tasks."
    >
      <Editor id={null} initial={bodyOf()} />
    </Page>
  );
}

export function EditSkillPage() {
  const id = Number(route.useParams().skillId);
  const { id: workspace } = useWorkspace();
  const skill = useQuery({ ...skillQuery(workspace, id), refetchOnWindowFocus: false });
  const content = useQuery({ ...contentQuery(workspace, id, 2), refetchOnWindowFocus: false });
  const error = skill.error ?? content.error;
  return (
    <Page title={skill.data ? `Edit ${skill.data.name}` : "Edit skill"}>
      {error && <ProblemNote error={error} />}
      {!error && !(skill.data && content.data) && <SkeletonRows rows={4} />}
      {skill.data && content.data && <Editor key={id} id={id} initial={bodyOf(skill.data, content.data.content)} />}
    </Page>
  );
}

function Editor({ id, initial }: { id: number | null; initial: Draft }) {
  const save = useSaveSkill();
  const navigate = useNavigate();
  return (
    <SkillForm
      initial={initial}
      isNew={id === null}
      isBusy={save.isPending}
      problem={save.error ? asProblem(save.error) : null}
      onSave={(body) =>
        save.mutate(
          { id, body },
          {
            onSuccess: (saved) => {
              toast.success(`${saved.name} is saved.`);
              void navigate({
                to: "/w/$workspace/skills/$skillId",
                from: "/w/$workspace",
                params: { skillId: String(saved.id) },
                ignoreBlocker: true,
              });
            },
          },
        )
      }
    />
  );
}
