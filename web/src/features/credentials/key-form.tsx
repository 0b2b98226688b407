import { type ReactNode, useState } from "react";
import type { Provider } from "@/client";
import { asProblem } from "@/lib/problem";
import { Button } from "@/ui/button";
import { SelectField, TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem";
import { useAddCredential, useTestKey } from "./queries";
import { TestVerdict } from "./test-verdict";

interface Props {
  providers: Provider[];
  onSaved: () => void;
  /** Other buttons beside "Save key". */
  children?: ReactNode;
}

/** A provider's key: try it first, then store it encrypted. */
export function KeyForm({ providers, onSaved, children }: Props) {
  const real = providers.filter((provider) => provider.name !== "demo");
  const [name, setName] = useState(real[0]?.name ?? "");
  const [value, setValue] = useState("");
  const [baseUrl, setBaseUrl] = useState("");
  const add = useAddCredential();
  const test = useTestKey();
  const provider = real.find((one) => one.name === name);
  const problem = add.error ? asProblem(add.error) : null;
  const needsAddress = provider !== undefined && provider.default_base_url === null;
  const isComplete = (value.trim() !== "" || !provider?.needs_key) && (baseUrl.trim() !== "" || !needsAddress);

  const body = () => ({
    provider: name,
    value: value.trim(),
    ...(baseUrl.trim() ? { base_url: baseUrl.trim() } : {}),
  });

  function change(set: (text: string) => void) {
    return (text: string) => {
      set(text);
      test.reset();
    };
  }

  return (
    <form
      className="grid gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate({ ...body(), name: `${provider?.display_name ?? name} key` }, { onSuccess: onSaved });
      }}
    >
      <SelectField label="Provider" value={name} onChange={(event) => change(setName)(event.target.value)}>
        {real.map((one) => (
          <option key={one.name} value={one.name}>
            {one.display_name}
          </option>
        ))}
      </SelectField>
      <TextField
        label="Key"
        optional={provider?.needs_key === false}
        type="password"
        autoComplete="off"
        value={value}
        onChange={(event) => change(setValue)(event.target.value)}
        hint="Stored encrypted; it is never shown again."
        error={problem?.forField("value")}
      />
      <TextField
        label="Base URL"
        optional={!needsAddress}
        type="url"
        placeholder={provider?.default_base_url ?? "https://"}
        value={baseUrl}
        onChange={(event) => change(setBaseUrl)(event.target.value)}
        error={problem?.forField("base_url")}
      />
      {test.data && <TestVerdict test={test.data} />}
      {test.error && <ProblemNote error={test.error} />}
      {problem && problem.fields.length === 0 && <ProblemNote error={problem} />}
      <div className="mt-2 flex flex-wrap justify-end gap-2">
        {children}
        <Button busy={test.isPending} disabled={!isComplete} onClick={() => test.mutate(body())}>
          Test
        </Button>
        <Button type="submit" look="primary" busy={add.isPending} disabled={!isComplete}>
          Save key
        </Button>
      </div>
    </form>
  );
}
