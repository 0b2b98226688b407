import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useRef } from "react";
import type { SkillPattern } from "@/client/library";
import { bodyOf, type Draft, differencesOf, draftOf } from "@/features/skills/pattern-draft";
import { PatternForm } from "@/features/skills/pattern-form";
import { patternQuery, useSavePattern } from "@/features/skills/pattern-queries";
import { type Saved, type Storage, useEdited } from "@/lib/edited";
import { handOver, usePlace } from "@/lib/kept-draft";
import { useWorkspace } from "@/lib/workspace";
import { ConflictDialog } from "@/ui/conflict-dialog";
import { Loaded } from "@/ui/loaded";
import { Page } from "@/ui/page";
import { RestoreNote } from "@/ui/restore-note";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";

const newRoute = getRouteApi("/w/$workspace/skills/patterns/new");
const editRoute = getRouteApi("/w/$workspace/skills/patterns/$slug");

/** A new pattern, from nothing or as a copy of another. */
export function NewPatternPage() {
  const { from } = newRoute.useSearch();
  return (
    <Page title="New pattern" lead="A way of working together, for the steps of recipes and for tasks that name it.">
      {from ? <Stored key={from} slug={from} isCopy /> : <Editor pattern={null} etag={null} isCopy={false} />}
    </Page>
  );
}

export function EditPatternPage() {
  const { slug } = editRoute.useParams();
  return (
    <Page title="Edit pattern" lead="Runs that begin after it is saved read the new words.">
      <Stored key={slug} slug={slug} isCopy={false} />
    </Page>
  );
}

function Stored({ slug, isCopy }: { slug: string; isCopy: boolean }) {
  const { id: workspace } = useWorkspace();
  const pattern = useQuery(patternQuery(workspace, slug));
  return (
    <Loaded of={pattern} pending={<SkeletonRows rows={4} />}>
      {({ data, etag }) => <Editor pattern={data} etag={etag} isCopy={isCopy} />}
    </Loaded>
  );
}

interface EditorProps {
  /** What is edited or copied; null for a new one. */
  pattern: SkillPattern | null;
  etag: string | null;
  isCopy: boolean;
}

function Editor({ pattern, etag, isCopy }: EditorProps) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const save = useSavePattern();
  const slug = isCopy ? null : (pattern?.slug ?? null);
  const keep = { kind: "pattern", id: slug ?? (pattern ? `copy of ${pattern.slug}` : "new") };
  const place = usePlace(keep);
  const stored = { data: draftOf(pattern ?? undefined, isCopy), etag: slug === null ? null : etag };
  const edit = useEdited(stored, { keep });
  const saved = useRef<SkillPattern | null>(null);

  const storage: Storage<Draft> = {
    send: async ({ after, etag: against }) => {
      const answer = await save.mutateAsync({ slug, etag: against, body: bodyOf(after) });
      saved.current = answer.data;
      return { data: draftOf(answer.data), etag: answer.etag };
    },
    read: async () => {
      const found = await cache.fetchQuery({ ...patternQuery(workspace, slug ?? ""), staleTime: 0 });
      return { data: draftOf(found.data), etag: found.etag };
    },
  };

  async function goOn(result: Saved): Promise<Saved> {
    const pattern = saved.current;
    if (result !== "stored" || !pattern) return result;
    toast.success(`${pattern.name} is saved.`);
    const isMore = edit.isDirtyNow();
    // What was typed while it was being saved stays in sight, for a new one on the page of its own.
    if (isMore && slug !== null) return result;
    if (isMore && place) {
      handOver({ ...place, id: pattern.slug }, edit.current());
      edit.discard();
      const params = { slug: pattern.slug };
      await navigate({
        to: "/w/$workspace/skills/patterns/$slug",
        from: "/w/$workspace",
        params,
        ignoreBlocker: true,
      });
      return result;
    }
    await navigate({
      to: "/w/$workspace/skills",
      from: "/w/$workspace",
      search: { tab: "patterns" },
      ignoreBlocker: true,
    });
    return result;
  }

  return (
    <>
      <RestoreNote kept={edit.kept} etag={slug === null ? null : etag} />
      <PatternForm edit={edit} isNew={slug === null} onSave={() => void edit.save(storage).then(goOn)} />
      <ConflictDialog
        what="pattern"
        edit={edit}
        rows={differencesOf}
        onSave={(sides) => edit.settle(sides, storage).then(goOn)}
      />
    </>
  );
}
