import { type FormEvent, useState } from "react";
import type { SyncResult } from "@/client/library";
import { asProblem } from "@/lib/problem";
import { Button } from "@/ui/button";
import { Dialog, DialogActions } from "@/ui/dialog";
import { CheckField, SelectField, TextField } from "@/ui/field";
import { NumberField, numberFault } from "@/ui/number-field";
import { ProblemNote } from "@/ui/problem";
import { useAddSource } from "./queries";
import { SyncReport } from "./sync-report";

const MOST_HOURS = 8760;

interface Props {
  /** Stored credentials that can open a private repository. */
  credentials: readonly { id: string; name: string }[];
  onClose: () => void;
}

/** Takes every skill of a git repository. */
export function GitDialog({ credentials, onClose }: Props) {
  const [url, setUrl] = useState("");
  const [name, setName] = useState("");
  const [branch, setBranch] = useState("");
  const [folder, setFolder] = useState("");
  const [credential, setCredential] = useState("");
  const [isAuto, setAuto] = useState(false);
  const [hours, setHours] = useState<number | null>(24);
  const [report, setReport] = useState<SyncResult | null>(null);
  const add = useAddSource();
  const problem = add.error ? asProblem(add.error) : null;

  function submit(event: FormEvent) {
    event.preventDefault();
    const body = {
      git_url: url.trim(),
      ...(name.trim() ? { source_name: name.trim() } : {}),
      ...(branch.trim() ? { branch: branch.trim() } : {}),
      ...(folder.trim() ? { git_folder: folder.trim() } : {}),
      ...(credential ? { credential_id: credential } : {}),
      auto_update: isAuto,
      ...(isAuto && hours !== null ? { update_frequency_hours: hours } : {}),
    };
    add.mutate(body, { onSuccess: setReport });
  }

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Skills from git"
      description="Every folder with a SKILL.md in the repository becomes a skill. It is read over https."
    >
      {report ? (
        <>
          <SyncReport result={report} />
          <DialogActions>
            <Button look="primary" onClick={onClose}>
              Done
            </Button>
          </DialogActions>
        </>
      ) : (
        <form onSubmit={submit} className="grid gap-2">
          <TextField
            label="Address"
            required
            inputMode="url"
            placeholder="https://"
            hint="For cloning, or copied from a page of it in the browser."
            value={url}
            onChange={(event) => setUrl(event.target.value)}
            error={problem?.forField("git_url")}
          />
          <div className="grid gap-x-4 gap-y-2 sm:grid-cols-2">
            <TextField
              label="Name"
              optional
              value={name}
              onChange={(event) => setName(event.target.value)}
              hint="The repository’s, if you give none."
              error={problem?.forField("source_name")}
            />
            <TextField
              label="Branch"
              optional
              value={branch}
              onChange={(event) => setBranch(event.target.value)}
              hint="Its default branch, if you give none."
              error={problem?.forField("branch")}
            />
            <TextField
              label="Folder"
              optional
              value={folder}
              onChange={(event) => setFolder(event.target.value)}
              hint="All of it, if you give none."
              error={problem?.forField("git_folder")}
            />
            <SelectField
              label="Credential"
              optional
              value={credential}
              onChange={(event) => setCredential(event.target.value)}
              hint={
                credentials.length > 0
                  ? "For a private repository. It goes to its own host only."
                  : "For a private repository, store one of the type Git server or GitHub first."
              }
              error={problem?.forField("credential_id")}
            >
              <option value="">None, it is public</option>
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
            checked={isAuto}
            onChange={(event) => setAuto(event.target.checked)}
          />
          {isAuto && (
            <NumberField label="Every" unit="hours" min={1} max={MOST_HOURS} value={hours} onChange={setHours} />
          )}
          {problem && problem.fields.length === 0 && <ProblemNote error={problem} />}
          <DialogActions>
            <Button onClick={onClose}>Not now</Button>
            <Button
              type="submit"
              look="primary"
              busy={add.isPending}
              disabled={isAuto && numberFault(hours, 1, MOST_HOURS) !== undefined}
            >
              Read the repository
            </Button>
          </DialogActions>
        </form>
      )}
    </Dialog>
  );
}
