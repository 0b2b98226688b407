import { Bot, ChefHat, History, Settings } from "lucide-react";

/** The pages of a workspace, in the order of the rail. */
export const PAGES = [
  { to: "/w/$workspace/recipes", label: "Recipes", icon: ChefHat },
  { to: "/w/$workspace/agents", label: "Agents", icon: Bot },
  { to: "/w/$workspace/runs", label: "Runs", icon: History },
  { to: "/w/$workspace/settings/{-$section}", label: "Settings", icon: Settings },
] as const;
