import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { PersonaLibrary } from "@/features/personas/persona-library";
import { PersonaSheet } from "@/features/personas/persona-sheet";
import type { PersonaFilters } from "@/features/personas/queries";
import { useCan } from "@/lib/workspace";
import { buttonClass } from "@/ui/button";
import { Page } from "@/ui/page";

const route = getRouteApi("/w/$workspace/personas");

export function PersonasPage() {
  const { q, category, scope, view } = route.useSearch();
  const navigate = route.useNavigate();
  const mayEdit = useCan("editor");
  const start = mayEdit && (
    <Link to="/w/$workspace/personas/new" from="/w/$workspace" className={buttonClass({ look: "primary" })}>
      <Plus aria-hidden className="size-4" /> New persona
    </Link>
  );

  function filter(part: PersonaFilters) {
    const { search, ...rest } = part;
    const asked = "search" in part ? { q: search } : {};
    void navigate({ search: (current) => ({ ...current, ...rest, ...asked }), replace: true });
  }

  return (
    <Page
      title="Personas"
      lead="Who an agent is: its role, its manner, its limits. One persona can serve many agents."
      action={start}
    >
      <PersonaLibrary filters={{ search: q, category, scope }} onFilter={filter} start={start} />
      {view && (
        <PersonaSheet
          key={view}
          personaId={view}
          onClose={() => navigate({ search: (current) => ({ ...current, view: undefined }), resetScroll: false })}
        />
      )}
    </Page>
  );
}
