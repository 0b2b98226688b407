import type { Recipe } from "@/client";
import { takesWork } from "@/client/agents";

export type StepAgent = NonNullable<Recipe["steps"][number]["agent"]>;

/** The agents of a recipe's steps that take no work now, each once, in the order of the steps. */
export function unreadyAgents({ steps }: Pick<Recipe, "steps">): StepAgent[] {
  const agents = steps.map((step) => step.agent).filter((agent) => agent !== null && agent !== undefined);
  return agents.filter(
    (agent, index) => !takesWork(agent.status) && agents.findIndex((one) => one.id === agent.id) === index,
  );
}
