import fields from "virtual:agent-fields";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Model, ModelConfig } from "@/client";
import { useWorkspace } from "@/lib/workspace";
import { SelectField } from "@/ui/field";
import { NumberField } from "@/ui/number-field";
import { EFFORTS, type Effort, type ModelDraft } from "./model-draft";
import { ModelFacts } from "./model-facts";
import { ModelSelect } from "./model-select";
import { ModelTest } from "./model-test";
import { modelsQuery, providersQuery } from "./queries";

interface Props {
  value: ModelDraft;
  onChange: (part: Partial<ModelDraft>) => void;
  fault: (key: keyof ModelDraft) => string | undefined;
  /** Beside the basic settings, those that few people need. */
  withAll?: boolean;
}

const OWN = "automatic";

/** What the server's schema says of a setting of a model: its name, range and unit. */
function said(name: keyof ModelConfig) {
  const found = fields.find(({ path }) => path === `model_config.${name}`);
  return { label: found?.label ?? name, min: found?.min ?? 0, max: found?.max ?? 0, unit: found?.unit ?? "" };
}

/** A model, what it can do and costs, its settings, and a try whether it answers. */
export function ModelFields({ value, onChange, fault, withAll = false }: Props) {
  const { id: workspace } = useWorkspace();
  const models = useQuery(modelsQuery(workspace)).data?.items ?? [];
  const [provider, setProvider] = useState("");
  const chosen = models.find(
    ({ provider: by, model_id }) => by === value.model?.provider && model_id === value.model?.model_id,
  );

  return (
    <div className="grid gap-5">
      <div className="grid gap-x-6 gap-y-2 sm:grid-cols-[12rem_1fr]">
        <ProviderFilter value={provider} onChange={setProvider} />
        <ModelSelect
          label="Model"
          withDefault
          provider={provider || undefined}
          value={value.model}
          error={fault("model")}
          {...(chosen ? { hint: "" } : {})}
          onChange={(model) =>
            onChange({ model, ...(model?.provider === value.model?.provider ? {} : { fallbackModelId: null }) })
          }
        />
      </div>
      {chosen && <ModelFacts model={chosen} />}
      {value.model ? (
        <Settings value={value} onChange={onChange} fault={fault} withAll={withAll} chosen={chosen} />
      ) : (
        <p className="text-muted">
          The agent follows the workspace: when its default model changes, so does the agent’s. Choose a model to give
          it settings of its own.
        </p>
      )}
      <ModelTest value={value} />
    </div>
  );
}

function ProviderFilter({ value, onChange }: { value: string; onChange: (name: string) => void }) {
  const { id: workspace } = useWorkspace();
  const providers = useQuery(providersQuery(workspace)).data?.items ?? [];
  return (
    <SelectField label="Provider" value={value} onChange={(event) => onChange(event.target.value)}>
      <option value="">All providers</option>
      {providers.map((one) => (
        <option key={one.name} value={one.name}>
          {one.display_name + (one.configured ? "" : " (no key yet)")}
        </option>
      ))}
    </SelectField>
  );
}

interface SettingsProps extends Required<Props> {
  chosen: Model | undefined;
}

function Settings({ value, onChange, fault, withAll, chosen }: SettingsProps) {
  return (
    <div className="grid gap-x-6 gap-y-2 sm:grid-cols-2">
      <NumberField
        {...said("temperature")}
        optional
        slider
        step={0.1}
        placeholder={OWN}
        hint="0 is the most predictable, 2 the most surprising."
        value={value.temperature}
        onChange={(temperature) => onChange({ temperature })}
        error={fault("temperature")}
      />
      <NumberField
        {...said("max_tokens")}
        optional
        {...(chosen?.max_output_tokens ? { max: chosen.max_output_tokens } : {})}
        placeholder={OWN}
        value={value.maxTokens}
        onChange={(maxTokens) => onChange({ maxTokens })}
        error={fault("maxTokens")}
      />
      <ModelSelect
        label="Fallback model"
        optional
        none="None"
        provider={value.model?.provider}
        value={value.model && value.fallbackModelId ? { ...value.model, model_id: value.fallbackModelId } : null}
        onChange={(model) => onChange({ fallbackModelId: model?.model_id ?? null })}
        hint="Answers when the model is overloaded, too slow or gone."
        error={fault("fallbackModelId")}
      />
      <EffortField value={value} onChange={onChange} fault={fault} chosen={chosen} />
      {withAll && (
        <>
          <NumberField
            {...said("top_p")}
            optional
            step={0.01}
            placeholder={OWN}
            hint="Set this or the temperature, not both."
            value={value.topP}
            onChange={(topP) => onChange({ topP })}
            error={fault("topP")}
          />
          <NumberField
            {...said("frequency_penalty")}
            optional
            step={0.1}
            placeholder={OWN}
            value={value.frequencyPenalty}
            onChange={(frequencyPenalty) => onChange({ frequencyPenalty })}
            error={fault("frequencyPenalty")}
          />
          <NumberField
            {...said("presence_penalty")}
            optional
            step={0.1}
            placeholder={OWN}
            value={value.presencePenalty}
            onChange={(presencePenalty) => onChange({ presencePenalty })}
            error={fault("presencePenalty")}
          />
        </>
      )}
    </div>
  );
}

type EffortProps = Pick<SettingsProps, "value" | "onChange" | "fault" | "chosen">;

/** How hard the model thinks; not shown for one that is known not to. */
function EffortField({ value, onChange, fault, chosen }: EffortProps) {
  const taken = EFFORTS.filter((one) => chosen?.reasoning_efforts?.includes(one) ?? true);
  const kept = value.reasoningEffort;
  if (taken.length === 0 && !kept) return null;
  return (
    <SelectField
      label="Reasoning effort"
      optional
      value={kept ?? ""}
      onChange={(event) => onChange({ reasoningEffort: (event.target.value || null) as Effort | null })}
      hint="How hard it thinks before it answers; thinking is paid as output."
      error={fault("reasoningEffort")}
    >
      <option value="">{OWN}</option>
      {kept && !taken.includes(kept) && <option>{kept}</option>}
      {taken.map((one) => (
        <option key={one}>{one}</option>
      ))}
    </SelectField>
  );
}
