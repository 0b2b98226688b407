import { Bot, ChefHat, Drama, GraduationCap, History, Settings } from "lucide-react";

/** The pages of a workspace, in the order of the rail; a page's parts stand below it. */
export const PAGES = [
  { to: "/w/$workspace/recipes", label: "Recipes", icon: ChefHat, parts: [] },
  {
    to: "/w/$workspace/agents",
    label: "Agents",
    icon: Bot,
    parts: [
      { to: "/w/$workspace/personas", label: "Personas", icon: Drama },
      { to: "/w/$workspace/skills", label: "Skills", icon: GraduationCap },
    ],
  },
  { to: "/w/$workspace/runs", label: "Runs", icon: History, parts: [] },
  { to: "/w/$workspace/settings/{-$section}", label: "Settings", icon: Settings, parts: [] },
] as const;

/** The page, or the page of the part, that a path inside a workspace belongs to. */
export function groupAt(path: string) {
  const here = path.split("/")[3] ?? "";
  return PAGES.find((page) => [page, ...page.parts].some((one) => one.to.split("/")[3] === here));
}

/** Every page with its parts, in the order of the rail. */
export const ALL_PAGES = PAGES.flatMap((page) => [page, ...page.parts]);
