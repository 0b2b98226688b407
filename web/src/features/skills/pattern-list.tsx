import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Copy, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import type { SkillPattern } from "@/client/library";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Badge } from "@/ui/badge";
import { Button, buttonClass } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { Loaded } from "@/ui/loaded";
import { SkeletonRows } from "@/ui/states";
import { toast } from "@/ui/toaster";
import { patternsQuery, useDeletePattern } from "./pattern-queries";
import { linesOf } from "./pattern-words";

/** Ways in which several agents can work together: those of the product, and the workspace's own. */
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
              Ways in which several agents work together. A step of a recipe that names one reads its words after the
              prompt.
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
  const mayEdit = useCan("editor");
  const isOwn = pattern.scope === "workspace";
  return (
    <li className="card grid content-start gap-3 p-5">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <h2 dir="auto" className="min-w-0 font-semibold wrap-anywhere">
          {pattern.name}
        </h2>
        <span className="flex gap-2">
          <Badge tone={isOwn ? "accent" : "neutral"}>{isOwn ? "Own" : "Built in"}</Badge>
          <Badge tone="neutral">{pattern.pattern_type}</Badge>
        </span>
      </div>
      {pattern.description && (
        <p dir="auto" className="wrap-anywhere text-muted">
          {pattern.description}
        </p>
      )}
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
      {mayEdit && <Actions pattern={pattern} isOwn={isOwn} />}
    </li>
  );
}

function Actions({ pattern, isOwn }: { pattern: SkillPattern; isOwn: boolean }) {
  const [isDeleting, setDeleting] = useState(false);
  const remove = useDeletePattern();
  const small = buttonClass({ size: "sm" });
  const of = <span className="sr-only"> {pattern.name}</span>;
  return (
    <div className="flex flex-wrap gap-2">
      {isOwn && (
        <Link
          to="/w/$workspace/skills/patterns/$slug"
          from="/w/$workspace"
          params={{ slug: pattern.slug }}
          className={small}
        >
          <Pencil aria-hidden className="size-4" /> Edit{of}
        </Link>
      )}
      <Link
        to="/w/$workspace/skills/patterns/new"
        from="/w/$workspace"
        search={{ from: pattern.slug }}
        className={small}
      >
        <Copy aria-hidden className="size-4" /> Copy to my own{of}
      </Link>
      {isOwn && (
        <Button size="sm" onClick={() => setDeleting(true)}>
          <Trash2 aria-hidden className="size-4" /> Delete{of}
        </Button>
      )}
      <Confirm
        open={isDeleting}
        onOpenChange={setDeleting}
        title={`Delete ${pattern.name}?`}
        action="Delete pattern"
        onConfirm={async () => {
          await remove.mutateAsync(pattern.slug);
          toast.success(`${pattern.name} is deleted.`);
        }}
      >
        Recipes with a step that names it cannot be cooked until the step names another one or none.
      </Confirm>
    </div>
  );
}
