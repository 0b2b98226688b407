import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import type { Run } from "@/client";
import { useWorkspace } from "@/lib/workspace";
import type { StepView } from "./kitchen-state";
import { runQuery } from "./queries";
import { RunBadge } from "./status";

const LINK = "text-accent hover:underline";

interface ChildProps {
  child: NonNullable<StepView["child"]>;
  isOver: boolean;
}

/** The run that a step has started, where it is, and the way there. */
export function ChildRun({ child, isOver }: ChildProps) {
  const { id: workspace } = useWorkspace();
  const run = useQuery(runQuery(workspace, child.runId));
  const { refetch } = run;
  useEffect(() => {
    if (isOver) void refetch();
  }, [isOver, refetch]);
  return (
    <p className="flex flex-wrap items-center gap-2">
      <span>
        Runs <span className="font-mono">{child.recipeId}</span>, version {child.version}:
      </span>
      <Link to="/w/$workspace/runs/$runId" from="/w/$workspace" params={{ runId: child.runId }} className={LINK}>
        its run
      </Link>
      {run.data && <RunBadge status={run.data.status} />}
    </p>
  );
}

/** The run that this one is part of, and the step of it that has started this one, if any has. */
export function ParentRun({ parent }: { parent: Run["parent"] }) {
  if (!parent) return null;
  return (
    <p>
      Part of{" "}
      <Link to="/w/$workspace/runs/$runId" from="/w/$workspace" params={{ runId: parent.run_id }} className={LINK}>
        {parent.recipe_name ?? "another"} run
      </Link>
      , started by its step <span className="font-mono">{parent.path}</span>.
    </p>
  );
}
