/** Where a skill comes from, in words. */
export const ORIGINS: Record<string, string> = {
  seed: "Built in",
  manual: "By hand",
  upload: "Uploaded",
  git: "From git",
};

export const ORIGIN_OPTIONS = Object.entries(ORIGINS).map(([value, label]) => ({ value, label }));

export const KINDS = ["technical", "cognitive", "communication"];

/** Built-in skills are everybody's, skills from git are kept by their source; all others are changed by hand. */
export const isOwn = (skill: { source: string }): boolean => skill.source === "manual" || skill.source === "upload";

interface Invocation {
  name: string;
  disable_model_invocation: boolean;
  user_invocable: boolean;
  argument_hint: string;
}

/** Who may call a skill up, and how. */
export function calledUp(skill: Invocation): string {
  const ways = [
    ...(skill.disable_model_invocation ? [] : ["the agent, when a task needs it"]),
    ...(skill.user_invocable ? [`a task that begins with ${`/${skill.name} ${skill.argument_hint}`.trim()}`] : []),
  ];
  return ways.length > 0 ? `by ${ways.join(", or by ")}` : "by nobody: its author allows neither way";
}

export const shortSha = (sha: string | null): string => sha?.slice(0, 7) ?? "";

export function formatBytes(size: number): string {
  return size < 1024 ? `${size} B` : `${(size / 1024).toFixed(size < 10_240 ? 1 : 0)} kB`;
}
