import type { AuditEntry } from "@/client/system";

/** One line of what an entry of the audit log says: a name with what it is, or with what it was and became. */
export interface DetailLine {
  name: string;
  text: string;
  before?: string;
}

/** The details of an entry, line by line; "old" and "new" become one line. */
export function linesOf(detail: Record<string, unknown>): DetailLine[] {
  const { old: before, new: after, ...rest } = detail;
  const lines = Object.entries(rest).map(([name, value]) => lineOf(name, value));
  if ("old" in detail || "new" in detail) lines.push({ name: "value", before: textOf(before), text: textOf(after) });
  return lines;
}

function lineOf(name: string, value: unknown): DetailLine {
  const label = name.replaceAll("_", " ");
  if (isChange(value)) return { name: label, before: textOf(value.old), text: textOf(value.new) };
  return { name: label, text: textOf(value) };
}

function isChange(value: unknown): value is { old: unknown; new: unknown } {
  return typeof value === "object" && value !== null && "old" in value && "new" in value;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined || value === "") return "nothing";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.length === 0 ? "nothing" : value.map(textOf).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** "agent.status_changed" as "agent: status changed". */
export function actionWords(action: string): string {
  const [noun = "", ...verb] = action.split(".");
  const words = verb.join(" ").replaceAll("_", " ");
  return words ? `${noun.replaceAll("_", " ")} ${words}` : noun;
}

const CARRIERS: Record<string, string> = {
  cookie: "a browser's sign-in",
  bearer: "a token",
  api_key: "an API key",
  platform_key: "the operator's key",
  nothing: "no credential",
  server: "the server itself",
};

/** The ways to come, to filter by. */
export const WAYS = Object.entries(CARRIERS).map(([value, label]) => ({ value, label }));

/** How somebody came, in words; nothing in entries of older versions. */
export const wayOf = (carrier: string): string => CARRIERS[carrier] ?? "";

/** Who an entry is about, never by the name they chose. */
export function whoText(entry: Pick<AuditEntry, "actor_kind" | "user_id" | "api_key_id" | "actor">): string {
  switch (entry.actor_kind) {
    case "person":
      return `account ${entry.user_id}`;
    case "api_key":
      return `key ${entry.api_key_id}`;
    case "platform_key":
      return "the operator's key";
    case "local_user":
      return "the local user";
    case "server":
      return "the server";
    default:
      return `“${entry.actor}”, not recorded further`;
  }
}

/** The filter for everything that the same account or key did. */
export function filterOf(entry: Pick<AuditEntry, "user_id" | "api_key_id">): string | undefined {
  if (entry.user_id !== null) return `account:${entry.user_id}`;
  return entry.api_key_id === null ? undefined : `key:${entry.api_key_id}`;
}
