import { Link, useRouterState } from "@tanstack/react-router";
import { groupAt } from "./pages";

/** On phones, where there is no rail: the pages that belong together with the one that is open. */
export function PartsBar() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const group = groupAt(path);
  if (!group || group.parts.length === 0 || path.split("/").length > 4) return null;
  return (
    <nav aria-label={group.label} className="flex gap-1 overflow-x-auto border-b px-3 md:hidden">
      {[group, ...group.parts].map(({ to, label }) => (
        <Link
          key={to}
          to={to}
          from="/w/$workspace"
          activeOptions={{ includeSearch: false }}
          activeProps={{ "aria-current": "page" }}
          className="border-b-2 border-transparent px-3 py-2.5 whitespace-nowrap text-muted aria-[current=page]:border-accent aria-[current=page]:font-medium aria-[current=page]:text-accent"
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}
