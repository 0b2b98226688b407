import type { ReactNode } from "react";
import { SelectField, TextField } from "@/ui/field";
import { NumberField } from "@/ui/number-field";
import { SwitchField } from "@/ui/switch";
import type { AgentDraft } from "./draft";
import { FIELDS } from "./fields";
import type { PartProps } from "./slots";

const PRIORITIES = { low: "Low", medium: "Medium", high: "High", critical: "Critical" };
const ENVIRONMENTS = { development: "Development", staging: "Staging", production: "Production" };
const LEVELS = { debug: "Everything (debug)", info: "Usual (info)", warning: "Warnings", error: "Errors only" };

/** How an agent works: how much at once, how long, how often again, with how much of the machine. */
export function WorkFields(props: PartProps) {
  const { draft, change } = props;
  return (
    <>
      <Group title="Work">
        <ChoiceField {...props} field="priority" options={PRIORITIES} hint="Whose work goes first when agents wait." />
        <RangeField {...props} field="maxConcurrent" />
        <RangeField {...props} field="retries" hint="0 to 5 more tries when a step fails; 0 tries once." />
        <RangeField {...props} field="timeoutS" unit="s" />
        <RangeField {...props} field="maxIterations" hint="1 to 100; each is one answer of the model." />
        <div className="pt-6">
          <SwitchField
            label={FIELDS.autoStart.label}
            hint="Active as soon as the server runs."
            checked={draft.autoStart}
            onChange={(autoStart) => change({ autoStart })}
          />
        </div>
      </Group>
      <Group title="Resources" lead="How much of a machine its own commands and scripts may take.">
        <RangeField {...props} field="memoryMb" unit="MB" />
        <RangeField {...props} field="cpuPercent" unit="%" />
        <RangeField {...props} field="network" unit="Mbit/s" />
      </Group>
      <Group title="Operation">
        <ChoiceField {...props} field="environment" options={ENVIRONMENTS} hint="Decides which keys it works with." />
        <TextField
          label={FIELDS.environmentNote.label}
          hint="One sentence for its prompt; empty says nothing."
          value={draft.environmentNote}
          maxLength={1000}
          error={props.fault("environmentNote")}
          onChange={({ target }) => change({ environmentNote: target.value })}
        />
        <ChoiceField {...props} field="loggingLevel" options={LEVELS} hint="What the server’s log keeps of its work." />
        <SwitchField
          label={FIELDS.monitoring.label}
          hint="Counts its tasks and how they ended."
          checked={draft.monitoring}
          onChange={(monitoring) => change({ monitoring })}
        />
      </Group>
    </>
  );
}

function Group({ title, lead, children }: { title: string; lead?: string; children: ReactNode }) {
  return (
    <section className="card grid gap-x-6 gap-y-2 p-4 sm:grid-cols-2 sm:p-6 lg:grid-cols-3">
      <div className="col-span-full mb-2">
        <h2 className="text-lg font-semibold">{title}</h2>
        {lead && <p className="text-muted">{lead}</p>}
      </div>
      {children}
    </section>
  );
}

type NumberKey = { [Key in keyof AgentDraft]: AgentDraft[Key] extends number | null ? Key : never }[keyof AgentDraft];
type WordKey = "priority" | "environment" | "loggingLevel";

interface RangeProps extends PartProps {
  field: NumberKey;
  unit?: string;
  hint?: string;
}

function RangeField({ draft, change, fault, field, unit, hint }: RangeProps) {
  const [min, max] = FIELDS[field].range ?? [0, 0];
  return (
    <NumberField
      label={FIELDS[field].label}
      value={draft[field]}
      onChange={(value) => change({ [field]: value })}
      min={min}
      max={max}
      {...(unit ? { unit } : {})}
      {...(hint ? { hint } : {})}
      error={fault(field)}
    />
  );
}

interface ChoiceProps extends PartProps {
  field: WordKey;
  options: Record<string, string>;
  hint: string;
}

function ChoiceField({ draft, change, fault, field, options, hint }: ChoiceProps) {
  return (
    <SelectField
      label={FIELDS[field].label}
      value={draft[field]}
      hint={hint}
      error={fault(field)}
      onChange={(event) => change({ [field]: event.target.value })}
    >
      {Object.entries(options).map(([value, label]) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </SelectField>
  );
}
