import { type FormEvent, useState } from "react";
import { Button } from "@/ui/button";
import { Dialog, DialogActions } from "@/ui/dialog";
import { Field } from "@/ui/field";
import { ProblemNote } from "@/ui/problem";
import { useUploadSkills } from "./queries";
import { SyncReport } from "./sync-report";

/** Takes every skill of a ZIP file that can be used, and names the others. */
export function UploadDialog({ onClose }: { onClose: () => void }) {
  const [file, setFile] = useState<File | null>(null);
  const upload = useUploadSkills();

  function submit(event: FormEvent) {
    event.preventDefault();
    if (file) upload.mutate(file);
  }

  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Upload skills"
      description="A ZIP file with one folder for each skill, or a single SKILL.md at its top. What cannot be used is named."
    >
      {upload.data ? (
        <>
          <SyncReport
            result={{
              ...upload.data,
              notes: upload.data.items.flatMap((skill) => skill.notes.map((note) => `${skill.name}: ${note}`)),
            }}
          />
          <DialogActions>
            <Button look="primary" onClick={onClose}>
              Done
            </Button>
          </DialogActions>
        </>
      ) : (
        <form onSubmit={submit} className="grid gap-2">
          <Field label="ZIP file">
            {(control) => (
              <input
                {...control}
                type="file"
                accept=".zip,.skill,application/zip"
                required
                onChange={(event) => {
                  setFile(event.target.files?.[0] ?? null);
                  upload.reset();
                }}
                className="field-box file:mr-3 file:rounded-md file:border-0 file:bg-accent-soft file:px-3 file:py-1 file:text-accent"
              />
            )}
          </Field>
          {upload.error && <ProblemNote error={upload.error} />}
          <DialogActions>
            <Button onClick={onClose}>Not now</Button>
            <Button type="submit" look="primary" disabled={file === null} busy={upload.isPending}>
              Upload
            </Button>
          </DialogActions>
        </form>
      )}
    </Dialog>
  );
}
