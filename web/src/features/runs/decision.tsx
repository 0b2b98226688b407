import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { Role } from "@/client";
import { formatTime } from "@/lib/format";
import { api, dataOf } from "@/lib/http";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { TextArea } from "@/ui/field";
import { ProblemNote } from "@/ui/problem";
import type { StepView } from "./kitchen-state";

interface Props {
  runId: string;
  step: StepView;
}

function useDecideStep(runId: string, order: number) {
  const { id: workspace } = useWorkspace();
  return useMutation({
    mutationFn: ({ isApproved, comment }: { isApproved: boolean; comment: string }) => {
      const decided = { params: { path: { run_id: runId, order } }, body: { comment } };
      return isApproved
        ? dataOf(api(workspace).POST("/api/runs/{run_id}/steps/{order}/approve", decided))
        : dataOf(api(workspace).POST("/api/runs/{run_id}/steps/{order}/reject", decided));
    },
  });
}

/** What the step waits for, with the two buttons of those who may decide; afterwards who decided what. */
export function Decision({ runId, step }: Props) {
  if (step.decision) {
    const { isApproved, by, comment } = step.decision;
    return (
      <p dir="auto" className="wrap-anywhere">
        {isApproved ? "Approved" : "Rejected"} by {by}
        {comment ? `: ${comment}` : "."}
      </p>
    );
  }
  if (step.items !== null) return <p>Done for each of {step.items} items; their steps follow above.</p>;
  if (step.waitsFor === "timer") {
    return <p role="status">Goes on {step.dueAt ? formatTime(step.dueAt) : "when its time comes"}.</p>;
  }
  if (step.waitsFor === "signal") {
    return (
      <p role="status">
        Goes on when somebody sends the run the signal <span className="font-mono">{step.signal}</span>
        {step.dueAt ? `, until ${formatTime(step.dueAt)} at the latest` : ""}.
      </p>
    );
  }
  return step.waitsFor === "approval" ? <Asked runId={runId} step={step} /> : null;
}

function Asked({ runId, step }: Props) {
  const role = (step.role ?? "editor") as Role;
  const mayDecide = useCan(role);
  const decide = useDecideStep(runId, step.order);
  const [comment, setComment] = useState("");
  const send = (isApproved: boolean) => decide.mutate({ isApproved, comment });
  return (
    <div className="grid gap-3 rounded-lg border border-warn bg-warn-soft p-3">
      <p role="status" className="font-medium">
        This step waits for a decision{step.dueAt ? `, until ${formatTime(step.dueAt)} at the latest` : ""}.
      </p>
      <p dir="auto" className="whitespace-pre-wrap wrap-anywhere">
        {step.prompt}
      </p>
      {mayDecide ? (
        <>
          <TextArea
            label="Comment"
            optional
            maxLength={10_000}
            value={comment}
            onChange={(event) => setComment(event.target.value)}
          />
          <div className="flex flex-wrap gap-3">
            <Button look="primary" busy={decide.isPending} onClick={() => send(true)}>
              Approve
            </Button>
            <Button look="danger" busy={decide.isPending} onClick={() => send(false)}>
              Reject
            </Button>
          </div>
        </>
      ) : (
        <p>It is decided by somebody with the role {role} or a higher one.</p>
      )}
      {decide.error !== null && <ProblemNote error={decide.error} />}
    </div>
  );
}
