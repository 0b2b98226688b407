import { DrawnField } from "@/ui/drawn-field";
import type { AgentDraft } from "./draft";
import { groupOf, SETTINGS, type Settings } from "./settings";
import type { PartProps } from "./slots";

const ELSEWHERE = "Skills";
const GROUPS = [...new Set(SETTINGS.map(groupOf))].filter((group) => group !== ELSEWHERE);

/** How an agent works: how much at once, how long, how often again, with how much of the machine. */
export function WorkFields(props: PartProps) {
  return GROUPS.map((group) => (
    <section key={group} className="card grid gap-x-6 gap-y-2 p-4 sm:grid-cols-2 sm:p-6 lg:grid-cols-3">
      <h2 className="col-span-full mb-2 text-lg font-semibold">{group}</h2>
      <SettingsOf {...props} group={group} />
    </section>
  ));
}

/** How its skills are read; asked where they are chosen. */
export function SkillSettings(props: PartProps) {
  return <SettingsOf {...props} group={ELSEWHERE} className="max-w-md" />;
}

function SettingsOf({ draft, change, fault, group, className }: PartProps & { group: string; className?: string }) {
  return SETTINGS.filter((field) => groupOf(field) === group).map((field) => {
    const key = field.path as keyof Settings;
    return (
      <DrawnField
        key={key}
        field={field}
        value={draft[key]}
        onChange={(value) => change({ [key]: value } as Partial<AgentDraft>)}
        error={fault(key)}
        {...(className ? { className } : {})}
      />
    );
  });
}
