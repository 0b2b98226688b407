import { Power } from "lucide-react";
import type { Agent } from "@/client";
import { asProblem } from "@/lib/problem";
import { useCan } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { toast } from "@/ui/toaster";
import { useSwitchAgent } from "./queries";
import { takesWork } from "./status";

/** Makes an agent take work, or stop taking it. */
export function SwitchButton({ agent, small = false }: { agent: Agent; small?: boolean }) {
  const isOn = takesWork(agent.status);
  const change = useSwitchAgent();
  if (!useCan("editor")) return null;

  function toggle() {
    change.mutate(
      { id: agent.id, verb: isOn ? "deactivate" : "activate" },
      {
        onSuccess: () => toast.success(`${agent.name} is ${isOn ? "inactive" : "active"} now.`),
        onError: (error) => toast.error(asProblem(error).message),
      },
    );
  }

  return (
    <Button size={small ? "sm" : "md"} className="relative" busy={change.isPending} onClick={toggle}>
      {!change.isPending && <Power aria-hidden className="size-4" />}
      {isOn ? "Deactivate" : "Activate"}
      <span className="sr-only"> {agent.name}</span>
    </Button>
  );
}
