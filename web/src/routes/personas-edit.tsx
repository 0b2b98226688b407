import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { Persona, PersonaBody } from "@/client/library";
import { bodyOf, PersonaForm } from "@/features/personas/persona-form";
import { personaQuery, personasQuery, useSavePersona } from "@/features/personas/queries";
import { asProblem } from "@/lib/problem";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Loaded } from "@/ui/loaded";
import { Page } from "@/ui/page";
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
  // A change by somebody else must not pull the form away under the hands; saving finds it out.
  const persona = useQuery({ ...personaQuery(workspace, personaId), refetchOnWindowFocus: false });
  return (
    <Loaded of={persona} pending={<SkeletonRows rows={4} />}>
      {({ data, etag }) => <Editor persona={data} etag={etag} isCopy={isCopy} />}
    </Loaded>
  );
}

interface EditorProps {
  persona: Persona | null;
  etag: string | null;
  isCopy: boolean;
}

function Editor({ persona, etag, isCopy }: EditorProps) {
  const { id: workspace } = useWorkspace();
  const [origin, setOrigin] = useState({ persona, etag });
  const categories = useQuery(personasQuery(workspace)).data?.categories ?? [];
  const save = useSavePersona();
  const navigate = useNavigate();
  const problem = save.error ? asProblem(save.error) : null;
  const isNew = isCopy || origin.persona === null;

  async function store(body: PersonaBody) {
    const target = isNew ? { id: null, etag: null } : { id: origin.persona?.id ?? null, etag: origin.etag };
    const saved = await save.mutateAsync({ ...target, body });
    toast.success(`${saved.data.name} is saved.`);
    await navigate({
      to: "/w/$workspace/personas",
      from: "/w/$workspace",
      search: { view: saved.data.id },
      ignoreBlocker: true,
    });
  }

  return (
    <>
      <PersonaForm
        key={origin.etag}
        initial={bodyOf(origin.persona ?? undefined, isCopy)}
        isNew={isNew}
        categories={categories}
        isBusy={save.isPending}
        problem={problem}
        // The mutation keeps its error, which the form shows.
        onSave={(body) => void store(body).catch(() => undefined)}
      />
      {problem?.status === 412 && (
        <Button
          className="justify-self-end"
          onClick={() => {
            save.reset();
            setOrigin({ persona, etag });
          }}
        >
          Drop my changes and show what is stored
        </Button>
      )}
    </>
  );
}
