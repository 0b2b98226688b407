import type { Problem } from "@/lib/problem";
import { CheckField, SelectField, TextField } from "@/ui/field";
import { NumberField } from "@/ui/number-field";
import { MOST_HOURS, type SourceDraft } from "./source-draft";

/** A stored credential that can open a private repository. */
export interface Opening {
  id: string;
  name: string;
}

interface Props {
  draft: SourceDraft;
  change: (part: Partial<SourceDraft>) => void;
  problem: Problem | null;
  credentials: readonly Opening[];
  /** Whether the repository is stored already: then it has a name, and keeps its address. */
  isStored?: boolean;
}

/** What is asked about a repository, whether it is added or changed. */
export function SourceFields({ draft, change, problem, credentials, isStored = false }: Props) {
  const isUnlisted = draft.credential !== "" && !credentials.some((one) => one.id === draft.credential);
  return (
    <>
      {!isStored && (
        <TextField
          label="Address"
          required
          inputMode="url"
          placeholder="https://"
          hint="For cloning, or copied from a page of it in the browser."
          value={draft.url}
          onChange={(event) => change({ url: event.target.value })}
          error={problem?.forField("git_url")}
        />
      )}
      <div className="grid gap-x-4 gap-y-2 sm:grid-cols-2">
        <TextField
          label="Name"
          {...(isStored ? { required: true } : { optional: true, hint: "The repository’s, if you give none." })}
          maxLength={200}
          value={draft.name}
          onChange={(event) => change({ name: event.target.value })}
          error={problem?.forField("source_name")}
        />
        <TextField
          label="Branch"
          optional
          value={draft.branch}
          onChange={(event) => change({ branch: event.target.value })}
          hint={isStored ? "Left empty, it stays with the branch it follows." : "Its default branch, if you give none."}
          error={problem?.forField("branch")}
        />
        <TextField
          label="Folder"
          optional
          value={draft.folder}
          onChange={(event) => change({ folder: event.target.value })}
          hint="All of it, if you give none."
          error={problem?.forField("git_folder")}
        />
        <SelectField
          label="Credential"
          optional
          value={draft.credential}
          onChange={(event) => change({ credential: event.target.value })}
          hint={
            credentials.length > 0
              ? "For a private repository. It goes to its own host only."
              : "For a private repository, store one of the type Git server or GitHub first."
          }
          error={problem?.forField("credential_id")}
        >
          <option value="">None, it is public</option>
          {isUnlisted && <option value={draft.credential}>The one it has, which is not in use</option>}
          {credentials.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </SelectField>
      </div>
      <CheckField
        label="Read it again by itself"
        hint="Changed skills reach the agents without anybody looking at them first."
        checked={draft.isAuto}
        onChange={(event) => change({ isAuto: event.target.checked })}
      />
      {draft.isAuto && (
        <NumberField
          label="Every"
          unit="hours"
          min={1}
          max={MOST_HOURS}
          value={draft.hours}
          onChange={(hours) => change({ hours })}
        />
      )}
    </>
  );
}
