import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Copy, Pencil } from "lucide-react";
import { useState } from "react";
import type { Persona } from "@/client/library";
import { formatCount, formatTokens } from "@/lib/format";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button, buttonClass } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { CopyButton } from "@/ui/copy";
import { LoadProblem } from "@/ui/loaded";
import { Sheet } from "@/ui/sheet";
import { Fact, Facts } from "@/ui/stat";
import { SkeletonRows } from "@/ui/states";
import { RichText } from "@/ui/text/rich-text";
import { toast } from "@/ui/toaster";
import { ScopeBadge } from "./persona-library";
import { personaQuery, useDeletePersona } from "./queries";

interface Props {
  personaId: string;
  onClose: () => void;
}

/** One persona, whole: what it tells the model, and what one can do with it. */
export function PersonaSheet({ personaId, onClose }: Props) {
  const { id: workspace } = useWorkspace();
  const persona = useQuery(personaQuery(workspace, personaId));
  const found = persona.data?.data;
  return (
    <Sheet
      open
      onOpenChange={(open) => !open && onClose()}
      title={found?.name ?? "Persona"}
      description={found?.description}
      footer={found && <Actions persona={found} onClose={onClose} />}
    >
      {persona.isPending && <SkeletonRows rows={4} />}
      <LoadProblem of={persona} />
      {found && <About persona={found} />}
    </Sheet>
  );
}

function About({ persona }: { persona: Persona }) {
  return (
    <div className="grid gap-6">
      <Facts>
        <Fact name="Whose">
          <ScopeBadge persona={persona} />
        </Fact>
        <Fact name="Category">{persona.category}</Fact>
        {persona.voice_description && <Fact name="Voice">{persona.voice_description}</Fact>}
        <Fact name="Temperature">
          {persona.suggested_temperature === null
            ? "no suggestion"
            : `${persona.suggested_temperature}, where the agent sets none`}
        </Fact>
        {persona.suggested_models.length > 0 && <Fact name="Models">{persona.suggested_models.join(", ")}</Fact>}
        {persona.tags.length > 0 && <Fact name="Tags">{persona.tags.join(", ")}</Fact>}
        <Fact name="Used by">
          {persona.agents_count > 0 ? formatCount(persona.agents_count, "agent") : "no agent yet"}
        </Fact>
      </Facts>
      <section className="grid gap-2">
        <div className="flex items-center justify-between gap-3">
          <h3 className="font-semibold">
            Prompt <span className="font-normal text-muted tabular">{formatTokens(persona.token_estimate)}</span>
          </h3>
          <CopyButton text={persona.system_prompt} label="Copy the prompt" />
        </div>
        <div className="min-w-0 rounded-lg border px-4 py-3">
          <RichText text={persona.system_prompt} />
        </div>
      </section>
    </div>
  );
}

function Actions({ persona, onClose }: { persona: Persona; onClose: () => void }) {
  const mayEdit = useCan("editor");
  const [isDeleting, setDeleting] = useState(false);
  const remove = useDeletePersona();
  if (!mayEdit) return <Button onClick={onClose}>Close</Button>;
  const isOwn = persona.scope === "workspace";
  return (
    <>
      {isOwn && (
        <Button look="danger" onClick={() => setDeleting(true)}>
          Delete
        </Button>
      )}
      <Link
        to="/w/$workspace/personas/new"
        from="/w/$workspace"
        search={{ from: persona.id }}
        className={buttonClass({ look: isOwn ? "secondary" : "primary" })}
      >
        <Copy aria-hidden className="size-4" /> Copy to my own
      </Link>
      {isOwn && (
        <Link
          to="/w/$workspace/personas/$personaId/edit"
          from="/w/$workspace"
          params={{ personaId: persona.id }}
          className={buttonClass({ look: "primary" })}
        >
          <Pencil aria-hidden className="size-4" /> Edit
        </Link>
      )}
      <Confirm
        open={isDeleting}
        onOpenChange={setDeleting}
        title={`Delete ${persona.name}?`}
        action="Delete persona"
        onConfirm={async () => {
          await remove.mutateAsync(persona.id);
          toast.success(`${persona.name} is deleted.`);
          onClose();
        }}
      >
        {persona.agents_count > 0
          ? `${formatCount(persona.agents_count, "agent speaks", "agents speak")} with it and will be left without a persona.`
          : "No agent speaks with it."}
      </Confirm>
    </>
  );
}
