import type { GitSourceBody, SkillSource, SourceUpdate } from "@/client/library";
import { changedKeys, partOf } from "@/lib/changes";
import type { Difference } from "@/ui/diff-list";
import { numberFault } from "@/ui/number-field";

/** What is typed about a repository that skills come from. */
export interface SourceDraft {
  url: string;
  name: string;
  branch: string;
  folder: string;
  /** The id of the stored credential that opens it; empty for a public one. */
  credential: string;
  isAuto: boolean;
  hours: number | null;
}

export const MOST_HOURS = 8760;
export const NEW_SOURCE: SourceDraft = {
  url: "",
  name: "",
  branch: "",
  folder: "",
  credential: "",
  isAuto: false,
  hours: 24,
};

const LABELS: Record<keyof SourceDraft, string> = {
  url: "Address",
  name: "Name",
  branch: "Branch",
  folder: "Folder",
  credential: "Credential",
  isAuto: "Read it again by itself",
  hours: "Every, in hours",
};

export function draftOf(source: SkillSource): SourceDraft {
  return {
    url: source.git_url ?? "",
    name: source.source_name,
    branch: source.git_branch ?? "",
    folder: source.git_folder,
    credential: source.credential_id ?? "",
    isAuto: source.auto_update,
    hours: source.update_frequency_hours,
  };
}

/** Whether a field says already what is wrong with it; it would only be refused. */
export const isFaulty = (draft: SourceDraft) => draft.isAuto && numberFault(draft.hours, 1, MOST_HOURS) !== undefined;

/** A new repository as it is sent; what was left empty is left out. */
export function creationOf(draft: SourceDraft): GitSourceBody {
  const { name, branch, folder } = {
    name: draft.name.trim(),
    branch: draft.branch.trim(),
    folder: draft.folder.trim(),
  };
  return {
    git_url: draft.url.trim(),
    ...(name ? { source_name: name } : {}),
    ...(branch ? { branch } : {}),
    ...(folder ? { git_folder: folder } : {}),
    ...(draft.credential ? { credential_id: draft.credential } : {}),
    auto_update: draft.isAuto,
    ...(draft.isAuto && draft.hours !== null ? { update_frequency_hours: draft.hours } : {}),
  };
}

const bodyOf = (draft: SourceDraft): SourceUpdate => ({
  source_name: draft.name.trim(),
  branch: draft.branch.trim() || null,
  git_folder: draft.folder.trim(),
  credential_id: draft.credential || null,
  auto_update: draft.isAuto,
  update_frequency_hours: draft.hours,
});

/** Only what changed of a stored repository. */
export const updateOf = (before: SourceDraft, after: SourceDraft): SourceUpdate =>
  partOf(bodyOf(before), bodyOf(after));

/** What differs between two states of a repository; credentials by their names. */
export function differencesOf(
  before: SourceDraft,
  after: SourceDraft,
  nameOf: (credential: string) => string,
): Difference[] {
  const words = (draft: SourceDraft, key: keyof SourceDraft) => {
    if (key === "credential") return nameOf(draft.credential);
    return typeof draft[key] === "boolean" ? (draft[key] ? "yes" : "no") : String(draft[key] ?? "");
  };
  return changedKeys(before, after).map((key) => ({
    key,
    label: LABELS[key],
    before: words(before, key),
    after: words(after, key),
  }));
}
