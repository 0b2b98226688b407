import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useRef } from "react";
import type { Persona, PersonaBody } from "@/client/library";
import { bodyOf, differencesOf, PersonaForm } from "@/features/personas/persona-form";
import { personaQuery, personasQuery, useSavePersona } from "@/features/personas/queries";
import { type Saved, type Storage, useEdited } from "@/lib/edited";
import { handOver, usePlace } from "@/lib/kept-draft";
import { useWorkspace } from "@/lib/workspace";
import { ConflictDialog } from "@/ui/conflict-dialog";
import { Loaded } from "@/ui/loaded";
import { Page } from "@/ui/page";
import { RestoreNote } from "@/ui/restore-note";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";

const newRoute = getRouteApi("/w/$workspace/personas/new");
const editRoute = getRouteApi("/w/$workspace/personas/$personaId/edit");

/** A new persona, from nothing or as a copy of another. */
export function NewPersonaPage() {
  const { from } = newRoute.useSearch();
  return (
    <Page title="New persona" lead="It belongs to this workspace; every agent here can be given it.">
      {from ? <Stored key={from} personaId={from} isCopy /> : <Editor persona={null} etag={null} isCopy={false} />}
    </Page>
  );
}

export function EditPersonaPage() {
  const { personaId } = editRoute.useParams();
  return (
    <Page title="Edit persona" lead="Agents that speak with it use the new text from their next task on.">
      <Stored key={personaId} personaId={personaId} isCopy={false} />
    </Page>
  );
}

function Stored({ personaId, isCopy }: { personaId: string; isCopy: boolean }) {
  const { id: workspace } = useWorkspace();
  const persona = useQuery(personaQuery(workspace, personaId));
  return (
    <Loaded of={persona} pending={<SkeletonRows rows={4} />}>
      {({ data, etag }) => <Editor persona={data} etag={etag} isCopy={isCopy} />}
    </Loaded>
  );
}

interface EditorProps {
  /** What is edited or copied; null for a new one. */
  persona: Persona | null;
  etag: string | null;
  isCopy: boolean;
}

function Editor({ persona, etag, isCopy }: EditorProps) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  const navigate = useNavigate();
  const categories = useQuery(personasQuery(workspace)).data?.categories ?? [];
  const save = useSavePersona();
  const id = isCopy ? null : (persona?.id ?? null);
  const keep = { kind: "persona", id: id ?? (persona ? `copy of ${persona.id}` : "new") };
  const place = usePlace(keep);
  const edit = useEdited({ data: bodyOf(persona ?? undefined, isCopy), etag: id === null ? null : etag }, { keep });
  const saved = useRef<Persona | null>(null);

  const storage: Storage<PersonaBody> = {
    send: async ({ after, etag: against }) => {
      const stored = await save.mutateAsync({ id, etag: against, body: after });
      saved.current = stored.data;
      return { data: bodyOf(stored.data), etag: stored.etag };
    },
    read: async () => {
      const found = await cache.fetchQuery({ ...personaQuery(workspace, id ?? ""), staleTime: 0 });
      return { data: bodyOf(found.data), etag: found.etag };
    },
  };

  async function goOn(result: Saved): Promise<Saved> {
    const stored = saved.current;
    if (result !== "stored" || !stored) return result;
    toast.success(`${stored.name} is saved.`);
    const isMore = edit.isDirtyNow();
    // What was typed while it was being saved stays in sight, for a new one on the page of its own.
    if (isMore && id !== null) return result;
    if (isMore && place) {
      handOver({ ...place, id: stored.id }, edit.current());
      edit.discard();
      const params = { personaId: stored.id };
      await navigate({
        to: "/w/$workspace/personas/$personaId/edit",
        from: "/w/$workspace",
        params,
        ignoreBlocker: true,
      });
      return result;
    }
    await navigate({
      to: "/w/$workspace/personas",
      from: "/w/$workspace",
      search: { view: stored.id },
      ignoreBlocker: true,
    });
    return result;
  }

  return (
    <>
      <RestoreNote kept={edit.kept} etag={id === null ? null : etag} />
      <PersonaForm
        edit={edit}
        isNew={id === null}
        categories={categories}
        onSave={() => void edit.save(storage).then(goOn)}
      />
      <ConflictDialog
        what="persona"
        edit={edit}
        rows={differencesOf}
        onSave={(sides) => edit.settle(sides, storage).then(goOn)}
      />
    </>
  );
}
