import type { VersionDiff } from "@/client/lifecycle";
import { fieldAt } from "./settings";

interface Row {
  key: string;
  label: string;
  before: string;
  after: string;
}

/** What differs between two versions, in words a person reads: one row for each field. */
export function rowsOf(changes: VersionDiff["changes"]): Row[] {
  return changes.map(({ path, before, after }) => ({
    key: path,
    label: labelOf(path),
    before: textOf(before),
    after: textOf(after),
  }));
}

/** A setting as the form calls it; what the form does not know by its words, such as "/persona/slug" as "Persona, slug". */
function labelOf(path: string): string {
  const known = fieldAt(path.replace(/^\//, "").replaceAll("/", "."));
  if (known) return known.label;
  const words = path
    .replace(/^\/?(configuration[./])?/, "")
    .split(/[./]/)
    .map((part) => part.replaceAll("_", " "))
    .join(", ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) return value.map(String).join(", ");
  return JSON.stringify(value, null, 2);
}

/** The two versions to compare: those the address names, else the newest with the one before it. */
export function pairOf(
  versions: readonly { version: number }[],
  from: number | undefined,
  to: number | undefined,
): { from: number; to: number } | null {
  const known = (wanted: number | undefined) => versions.some((one) => one.version === wanted);
  const newest = versions[0]?.version;
  if (newest === undefined || versions.length < 2) return null;
  const right = to !== undefined && known(to) ? to : newest;
  const older = versions.find((one) => one.version < right) ?? versions.find((one) => one.version !== right);
  const left = from !== undefined && known(from) && from !== right ? from : older?.version;
  return left === undefined ? null : { from: left, to: right };
}
