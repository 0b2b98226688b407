import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useRef } from "react";
import type { SkillDocument } from "@/client/library";
import { skillTextQuery, useSaveSkill } from "@/features/skills/queries";
import { bodyOf, type Draft, differencesOf } from "@/features/skills/skill-draft";
import { SkillForm } from "@/features/skills/skill-form";
import { partOf } from "@/lib/changes";
import { type Saved, type Storage, useEdited } from "@/lib/edited";
import type { Tagged } from "@/lib/http";
import { handOver, usePlace } from "@/lib/kept-draft";
import { useWorkspace } from "@/lib/workspace";
import { ConflictDialog } from "@/ui/conflict-dialog";
import { Loaded } from "@/ui/loaded";
import { Page } from "@/ui/page";
import { RestoreNote } from "@/ui/restore-note";
import { toast } from "@/ui/toaster";
import { numbered } from "./numbered";

const route = getRouteApi("/w/$workspace/skills/$skillId/edit");

export function NewSkillPage() {
  return (
    <Page
      title="New skill"
      lead="Write once how a kind of task is done well; give it to every agent that does such tasks."
    >
      <Editor id={null} stored={{ data: bodyOf(), etag: null }} />
    </Page>
  );
}

function EditSkill() {
  const id = Number(route.useParams().skillId);
  const { id: workspace } = useWorkspace();
  const text = useQuery(skillTextQuery(workspace, id));
  return (
    <Loaded of={text} page="Edit skill">
      {({ data: { skill, content }, etag }) => (
        <Page title={`Edit ${skill.name}`}>
          <Editor key={id} id={id} stored={{ data: bodyOf(skill, content), etag }} />
        </Page>
      )}
    </Loaded>
  );
}

function Editor({ id, stored }: { id: number | null; stored: Tagged<Draft> }) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const save = useSaveSkill();
  const keep = { kind: "skill", id: id === null ? "new" : String(id) };
  const place = usePlace(keep);
  const edit = useEdited(stored, { keep });
  const saved = useRef<SkillDocument | null>(null);

  const storage: Storage<Draft> = {
    send: async ({ before, after, etag }) => {
      const { data, etag: tag } = await save.mutateAsync(
        id === null ? { id, etag, body: after } : { id, etag, body: partOf(before, after) },
      );
      saved.current = data;
      return { data: bodyOf(data, after.content), etag: tag };
    },
    read: async () => {
      const { data, etag } = await cache.fetchQuery({ ...skillTextQuery(workspace, id ?? 0), staleTime: 0 });
      return { data: bodyOf(data.skill, data.content), etag };
    },
  };

  async function goOn(result: Saved): Promise<Saved> {
    const skill = saved.current;
    if (result !== "stored" || !skill) return result;
    toast.success(`${skill.name} is saved.`);
    const isMore = edit.isDirtyNow();
    // What was typed while it was being saved stays in sight, for a new one on the page of its own.
    if (isMore && id !== null) return result;
    if (isMore && place) {
      handOver({ ...place, id: String(skill.id) }, edit.current());
      edit.discard();
    }
    const params = { skillId: String(skill.id) };
    const to = isMore ? "/w/$workspace/skills/$skillId/edit" : "/w/$workspace/skills/$skillId";
    await navigate({ to, from: "/w/$workspace", params, ignoreBlocker: true });
    return result;
  }

  return (
    <>
      <RestoreNote kept={edit.kept} etag={stored.etag} />
      <SkillForm edit={edit} isNew={id === null} onSave={() => void edit.save(storage).then(goOn)} />
      <ConflictDialog
        what="skill"
        edit={edit}
        rows={differencesOf}
        onSave={(sides) => edit.settle(sides, storage).then(goOn)}
      />
    </>
  );
}

export const EditSkillPage = numbered("skill", () => route.useParams().skillId, EditSkill);
