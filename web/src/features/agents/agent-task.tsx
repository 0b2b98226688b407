import { useState } from "react";
import type { TaskOrder, TaskStarted } from "@/client/lifecycle";
import { useEdited } from "@/lib/edited";
import { randomId } from "@/lib/id";
import { asProblem } from "@/lib/problem";
import { Dialog } from "@/ui/dialog";
import { DialogForm } from "@/ui/dialog-form";
import { SelectField, TextArea } from "@/ui/field";
import { useRunTask } from "./lifecycle-queries";

type Priority = NonNullable<TaskOrder["priority"]>;

const PRIORITIES: Priority[] = ["low", "medium", "high", "critical"];

interface Task {
  prompt: string;
  priority: Priority | "";
}

interface Props {
  agentId: number;
  agentName: string;
  /** The prompt of an earlier task, to be run again. */
  earlier?: string | undefined;
  onClose: () => void;
  onStarted: (started: TaskStarted) => void;
}

/** Gives one agent a task of its own. */
export function TaskDialog({ agentId, agentName, earlier = "", onClose, onStarted }: Props) {
  const edit = useEdited<Task>(
    { data: { prompt: earlier, priority: "" }, etag: null },
    { keep: { kind: "task", id: String(agentId) } },
  );
  const { prompt, priority } = edit.draft;
  // One key for this dialog: a second press, or a retry after a lost answer, starts nothing twice.
  const [key] = useState(randomId);
  const run = useRunTask(agentId);
  const problem = run.error ? asProblem(run.error) : null;

  function send() {
    run.mutate(
      { prompt, key, ...(priority ? { priority } : {}) },
      {
        onSuccess: (started) => {
          edit.discard();
          onStarted(started);
        },
      },
    );
  }

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`A task for ${agentName}`}
      description="It runs once, by itself; you see it work."
    >
      <DialogForm
        kept={edit.kept}
        basis="a new task"
        problem={problem}
        action="Run task"
        busy={run.isPending}
        disabled={prompt.trim() === ""}
        onSubmit={send}
        onClose={onClose}
      >
        <TextArea
          label="What to do"
          rows={7}
          required
          value={prompt}
          onChange={(event) => edit.change({ prompt: event.target.value })}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit();
          }}
          hint="Ctrl+Enter starts it."
          error={problem?.forField("prompt")}
        />
        <SelectField
          label="Priority"
          value={priority}
          onChange={(event) => edit.change({ priority: event.target.value as Priority | "" })}
          hint="Decides the order when several tasks wait for the same agent."
          error={problem?.forField("priority")}
        >
          <option value="">as the agent’s</option>
          {PRIORITIES.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </SelectField>
      </DialogForm>
    </Dialog>
  );
}
