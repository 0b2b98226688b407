import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { CredentialType } from "@/client/system";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { LoadProblem } from "@/ui/loaded";
import { ProblemNote } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";
import { DraftFields, KindField, useCredentialDraft } from "./credential-fields";
import { credentialTypesQuery } from "./queries";
import { TestVerdict } from "./test-verdict";

interface Props {
  /** Stored, with the provider that it opens. */
  onSaved: (provider: string) => void;
  /** Other buttons beside "Save key". */
  children?: ReactNode;
}

/** A model provider's key, in a page: the same fields as under Settings, without what can wait. */
export function KeyForm({ onSaved, children }: Props) {
  const { id: workspace } = useWorkspace();
  const known = useQuery(credentialTypesQuery(workspace));
  const [name, setName] = useState("");
  const types = known.data?.items.filter((one) => one.provider && one.provider !== "demo") ?? [];
  const type = types.find((one) => one.name === name) ?? types[0];
  if (!type) return known.error ? <LoadProblem of={known} /> : <SkeletonRows rows={3} />;
  return (
    <Fields key={type.name} type={type} types={types} onType={setName} onSaved={onSaved}>
      {children}
    </Fields>
  );
}

interface FieldsProps extends Props {
  type: CredentialType;
  types: readonly CredentialType[];
  onType: (name: string) => void;
}

function Fields({ type, types, onType, onSaved, children }: FieldsProps) {
  const draft = useCredentialDraft(type);
  const { add, test } = draft;
  return (
    <form
      className="grid gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate(
          { ...draft.body(), name: `${type.display_name} key` },
          { onSuccess: () => onSaved(type.provider ?? "") },
        );
      }}
    >
      <KindField type={type} types={types} onType={onType} />
      <DraftFields draft={draft} />
      {test.data && <TestVerdict test={test.data} />}
      {test.error && <ProblemNote error={test.error} />}
      {draft.problem && draft.problem.fields.length === 0 && <ProblemNote error={draft.problem} />}
      <div className="mt-2 flex flex-wrap justify-end gap-2">
        {children}
        <Button busy={test.isPending} disabled={!draft.isReady} onClick={() => test.mutate(draft.body())}>
          Test
        </Button>
        <Button type="submit" look="primary" busy={add.isPending} disabled={!draft.isReady}>
          Save key
        </Button>
      </div>
    </form>
  );
}
