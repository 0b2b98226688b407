import { useState } from "react";
import { asProblem } from "@/lib/problem";
import { Dialog } from "@/ui/dialog";
import { DialogDone, DialogForm } from "@/ui/dialog-form";
import { Field } from "@/ui/field";
import { useUploadSkills } from "./queries";
import { SyncReport } from "./sync-report";

/** Takes every skill of a ZIP file that can be used, and names the others. */
export function UploadDialog({ onClose }: { onClose: () => void }) {
  const [file, setFile] = useState<File | null>(null);
  const upload = useUploadSkills();

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
          <DialogDone onClose={onClose} />
        </>
      ) : (
        <DialogForm
          problem={upload.error ? asProblem(upload.error) : null}
          action="Upload"
          busy={upload.isPending}
          disabled={file === null}
          onSubmit={() => file && upload.mutate(file)}
          onClose={onClose}
        >
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
        </DialogForm>
      )}
    </Dialog>
  );
}
