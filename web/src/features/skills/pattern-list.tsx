import { useQuery } from "@tanstack/react-query";
import type { SkillPattern } from "@/client/library";
import { useWorkspace } from "@/lib/workspace";
import { Badge } from "@/ui/badge";
import { Loaded } from "@/ui/loaded";
import { SkeletonRows } from "@/ui/states";
import { linesOf } from "./pattern-words";
import { patternsQuery } from "./queries";

/** Ways in which several agents can work together; they come with the product. */
export function PatternList() {
  const { id: workspace } = useWorkspace();
  const patterns = useQuery(patternsQuery(workspace));
  return (
    <Loaded of={patterns} pending={<SkeletonRows rows={3} className="h-32" />}>
      {(found) => {
        if (found.items.length === 0) return <p className="text-muted">This server brings no patterns.</p>;
        return (
          <>
            <p className="-mt-2 max-w-prose text-muted">
              Ways in which several agents work together. Read one before you build a recipe of several steps.
            </p>
            <ul className="grid gap-4 lg:grid-cols-2">
              {found.items.map((pattern) => (
                <PatternCard key={pattern.slug} pattern={pattern} />
              ))}
            </ul>
          </>
        );
      }}
    </Loaded>
  );
}

function PatternCard({ pattern }: { pattern: SkillPattern }) {
  return (
    <li className="card grid content-start gap-3 p-5">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <h2 className="font-semibold">{pattern.name}</h2>
        <Badge tone="neutral">{pattern.pattern_type}</Badge>
      </div>
      <p className="text-muted">{pattern.description}</p>
      {linesOf(pattern.pattern_data).map((line) => (
        <div key={line.name} className="grid gap-1">
          <h3 className="text-sm text-muted first-letter:uppercase">{line.name}</h3>
          {line.isText ? (
            <p className="wrap-anywhere">{line.points[0]}</p>
          ) : (
            <ul className="list-disc pl-5">
              {line.points.map((point) => (
                <li key={point} className="wrap-anywhere first-letter:uppercase">
                  {point}
                </li>
              ))}
            </ul>
          )}
        </div>
      ))}
    </li>
  );
}
