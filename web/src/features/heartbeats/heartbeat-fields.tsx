import type { ReactNode } from "react";
import type { HeartbeatConfig, Watched } from "@/client/agents";
import { Checklist } from "@/ui/checklist";
import { SelectField, TextArea, TextField } from "@/ui/field";
import { NumberField } from "@/ui/number-field";
import { SwitchField } from "@/ui/switch";
import { type HeartbeatDraft, INTERVAL, LABELS } from "./draft";

interface Props {
  draft: HeartbeatDraft;
  change: (part: Partial<HeartbeatDraft>) => void;
  fault: (key: keyof HeartbeatDraft) => string | undefined;
  /** The hours in force now, as they are stored. */
  hours: HeartbeatConfig["active_hours"];
}

const ZONES = Intl.supportedValuesOf("timeZone");
const WATCHED: { value: Watched; label: string; hint: string; words: string }[] = [
  { value: "agents", label: "Agents", hint: "New, changed, failing ones", words: "agents" },
  { value: "recipes", label: "Recipes", hint: "New and changed ones", words: "recipes" },
  { value: "runs", label: "Runs", hint: "What ended, and how", words: "runs" },
  { value: "skills", label: "Skills", hint: "New and changed ones", words: "skills" },
];

/** When an agent checks in by itself, and what it does then. */
export function HeartbeatFields({ draft, change, fault, hours }: Props) {
  return (
    <>
      <Group title="Rhythm">
        <div className="col-span-full">
          <SwitchField
            label="Check in by itself"
            hint="The agent looks after its field at fixed intervals and reports what it finds."
            checked={draft.enabled}
            onChange={(enabled) => change({ enabled })}
          />
        </div>
        <NumberField
          label={LABELS.interval_minutes}
          unit="min"
          min={INTERVAL[0]}
          max={INTERVAL[1]}
          hint={`Every ${spoken(draft.interval_minutes)}; exact, not rounded.`}
          value={draft.interval_minutes}
          onChange={(interval_minutes) => change({ interval_minutes })}
          error={fault("interval_minutes")}
        />
        <SelectField
          label={LABELS.run_when}
          value={draft.run_when}
          hint="While nothing changed, nothing is spent."
          onChange={({ target }) => change({ run_when: target.value === "always" ? "always" : "changed" })}
          error={fault("run_when")}
        >
          <option value="changed">Only if something changed</option>
          <option value="always">Every time</option>
        </SelectField>
      </Group>
      <Group title="Hours">
        <div className="col-span-full">
          <SwitchField
            label="Use the workspace’s hours"
            hint={hours?.source === "workspace" && `${hours.start} to ${hours.end}, ${hours.timezone}`}
            checked={draft.inherit_active_hours}
            onChange={(inherit_active_hours) => change({ inherit_active_hours })}
          />
        </div>
        {!draft.inherit_active_hours && <Hours draft={draft} change={change} fault={fault} />}
      </Group>
      <Group title="What it does">
        <div className="col-span-full">
          <TextArea
            label={LABELS.prompt}
            optional
            maxLength={8000}
            value={draft.prompt}
            onChange={(event) => change({ prompt: event.target.value })}
            hint="Empty means its own field, as its persona describes it."
            error={fault("prompt")}
          />
          <TextArea
            label={LABELS.checklist}
            optional
            value={draft.checklist}
            onChange={(event) => change({ checklist: event.target.value })}
            hint="One check a line; it reports on each."
            error={fault("checklist")}
          />
        </div>
        <div className="col-span-full grid gap-2">
          <h3 className="font-medium">{LABELS.watch}</h3>
          <Checklist label={LABELS.watch} items={WATCHED} value={draft.watch} onChange={(watch) => change({ watch })} />
        </div>
        <div className="col-span-full">
          <SwitchField
            label="It may act"
            hint={
              draft.auto_act
                ? "It uses all its tools, also those that change something."
                : "It looks and reports, but changes nothing."
            }
            checked={draft.auto_act}
            onChange={(auto_act) => change({ auto_act })}
          />
        </div>
      </Group>
    </>
  );
}

function Hours({ draft, change, fault }: Omit<Props, "hours">) {
  return (
    <>
      <TextField
        type="time"
        label={LABELS.active_hours_start}
        value={draft.active_hours_start}
        onChange={(event) => change({ active_hours_start: event.target.value })}
        error={fault("active_hours_start")}
      />
      <TextField
        type="time"
        label={LABELS.active_hours_end}
        value={draft.active_hours_end}
        hint="May lie before the start: the hours cross midnight then."
        onChange={(event) => change({ active_hours_end: event.target.value })}
        error={fault("active_hours_end")}
      />
      <SelectField
        label={LABELS.timezone}
        value={draft.timezone}
        onChange={(event) => change({ timezone: event.target.value })}
        error={fault("timezone")}
      >
        {!ZONES.includes(draft.timezone) && <option>{draft.timezone}</option>}
        {draft.timezone !== "UTC" && !ZONES.includes("UTC") && <option>UTC</option>}
        {ZONES.map((zone) => (
          <option key={zone}>{zone}</option>
        ))}
      </SelectField>
    </>
  );
}

function spoken(minutes: number | null): string {
  if (minutes === null) return "?";
  const parts = [
    [Math.floor(minutes / 1440), "d"],
    [Math.floor((minutes % 1440) / 60), "h"],
    [minutes % 60, "min"],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="card grid gap-x-6 gap-y-3 p-4 sm:grid-cols-2 sm:p-6">
      <h2 className="col-span-full text-lg font-semibold">{title}</h2>
      {children}
    </section>
  );
}
