import { ArrowDown, ArrowUp, Trash2 } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useRef, useState } from "react";
import type { ErrorHandling, RecipeFault } from "@/client";
import { IconButton } from "@/ui/button";
import { Field, SelectField, TextField } from "@/ui/field";
import { NumberField } from "@/ui/number-field";
import { type DraftStep, faultAt, isDoneByAgent } from "./draft";
import { FlowNote } from "./flow-note";
import { type PatternOption, PatternSelect } from "./pattern-select";

/** How a step's agent is chosen; agents are another feature's. */
export type AgentSelector = (props: {
  value: number | null;
  onChange: (id: number) => void;
  error: string | undefined;
}) => ReactNode;

interface Props {
  step: DraftStep;
  index: number;
  count: number;
  agentSelect: AgentSelector;
  patterns: readonly PatternOption[];
  variables: string[];
  faults: RecipeFault[];
  onChange: (part: Partial<DraftStep>) => void;
  onMove: (by: -1 | 1) => void;
  onRemove: () => void;
}

const ON_ERROR: { value: ErrorHandling; label: string }[] = [
  { value: "stop", label: "Stop the recipe" },
  { value: "retry", label: "Try the step again, then stop" },
  { value: "skip", label: "Skip the step and go on" },
];

/** One step; its buttons, or Alt with the arrow keys, move it up and down. */
export function StepEditor({
  step,
  index,
  count,
  agentSelect,
  patterns,
  variables,
  faults,
  onChange,
  onMove,
  onRemove,
}: Props) {
  const at = (field: string) => faultAt(faults, `steps.${index}.${field}`);

  function pressed(event: KeyboardEvent) {
    if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    onMove(event.key === "ArrowUp" ? -1 : 1);
  }

  return (
    <li className="rounded-xl border p-4">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would restyle the whole card */}
      <div
        role="group"
        aria-label={`Step ${index + 1}`}
        onKeyDown={pressed}
        className="grid gap-x-6 gap-y-2 sm:grid-cols-2"
      >
        <div className="flex items-center gap-1 sm:col-span-2">
          <h3 className="mr-auto font-semibold">Step {index + 1}</h3>
          <IconButton label="Move up" disabled={index === 0} onClick={() => onMove(-1)}>
            <ArrowUp aria-hidden className="size-4" />
          </IconButton>
          <IconButton label="Move down" disabled={index === count - 1} onClick={() => onMove(1)}>
            <ArrowDown aria-hidden className="size-4" />
          </IconButton>
          <IconButton label="Remove this step" disabled={count === 1} onClick={onRemove}>
            <Trash2 aria-hidden className="size-4" />
          </IconButton>
        </div>
        <TextField
          label="Name of the step"
          required
          maxLength={100}
          value={step.stepId}
          onChange={(event) => onChange({ stepId: event.target.value })}
          error={at("step_id")}
        />
        <FlowNote flow={step.flow} />
        {isDoneByAgent(step) &&
          agentSelect({ value: step.agentId, onChange: (agentId) => onChange({ agentId }), error: at("agent_id") })}
        <PromptField
          value={step.prompt}
          isRequired={isDoneByAgent(step) || step.flow.approval != null}
          variables={variables}
          error={at("prompt_template")}
          onChange={(prompt) => onChange({ prompt })}
        />
        <TextField
          label="Name of the output"
          required
          maxLength={100}
          value={step.outputKey}
          onChange={(event) => onChange({ outputKey: event.target.value })}
          error={at("output_key")}
          hint={`Later steps use it as {${step.outputKey}}.`}
        />
        <SelectField
          label="If the step fails"
          value={step.errorHandling}
          onChange={(event) => onChange({ errorHandling: event.target.value as ErrorHandling })}
          error={at("error_handling")}
        >
          {ON_ERROR.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </SelectField>
        <Rarer step={step} patterns={patterns} at={at} onChange={onChange} />
      </div>
    </li>
  );
}

interface RarerProps {
  step: DraftStep;
  patterns: readonly PatternOption[];
  at: (field: string) => string | undefined;
  onChange: (part: Partial<DraftStep>) => void;
}

const RARER = ["pattern_slug", "max_retries", "timeout_s", "max_iterations"];

/** What few steps need: a way of working together, and limits of their own, where the agent's do not fit. */
function Rarer({ step, patterns, at, onChange }: RarerProps) {
  const isUsed = [step.patternSlug, step.retries, step.timeoutS, step.iterations].some((value) => value !== null);
  const [isOpen, setOpen] = useState(isUsed);
  const isWrong = RARER.some((field) => at(field) !== undefined);
  return (
    <details className="sm:col-span-2" open={isOpen || isWrong} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="cursor-pointer py-1 text-sm text-muted hover:text-ink">
        Pattern and limits of this step
      </summary>
      <div className="mt-2 grid gap-x-6 gap-y-2 sm:grid-cols-2">
        <PatternSelect
          patterns={patterns}
          value={step.patternSlug}
          onChange={(patternSlug) => onChange({ patternSlug })}
          error={at("pattern_slug")}
        />
        <NumberField
          label="Retries"
          optional
          min={0}
          max={10}
          placeholder="as the agent’s"
          value={step.retries}
          onChange={(retries) => onChange({ retries })}
          error={at("max_retries")}
        />
        <NumberField
          label="Time limit"
          optional
          unit="s"
          min={1}
          max={86_400}
          placeholder="as the agent’s"
          value={step.timeoutS}
          onChange={(timeoutS) => onChange({ timeoutS })}
          error={at("timeout_s")}
        />
        <NumberField
          label="Model turns"
          optional
          min={1}
          max={200}
          placeholder="as the agent’s"
          value={step.iterations}
          onChange={(iterations) => onChange({ iterations })}
          error={at("max_iterations")}
        />
      </div>
    </details>
  );
}

interface PromptProps {
  isRequired: boolean;
  value: string;
  variables: string[];
  error: string | undefined;
  onChange: (value: string) => void;
}

/** A prompt, with buttons that put a variable where the cursor is. */
function PromptField({ isRequired, value, variables, error, onChange }: PromptProps) {
  const box = useRef<HTMLTextAreaElement>(null);

  function insert(variable: string) {
    const area = box.current;
    if (!area) return;
    area.focus();
    area.setRangeText(variable, area.selectionStart, area.selectionEnd, "end");
    onChange(area.value);
  }

  return (
    <Field
      className="sm:col-span-2"
      label="Prompt"
      error={error}
      hint={variables.length === 0 ? "Add an input above to use it here." : undefined}
    >
      {(control) => (
        <>
          <textarea
            {...control}
            ref={box}
            rows={5}
            required={isRequired}
            value={value}
            onChange={(event) => onChange(event.target.value)}
            className="field-box resize-y"
          />
          {variables.length > 0 && (
            <div className="mt-1 flex flex-wrap items-center gap-1.5 text-sm">
              <span className="text-muted">Insert</span>
              {variables.map((variable) => (
                <button
                  key={variable}
                  type="button"
                  onClick={() => insert(variable)}
                  className="rounded-md bg-accent-soft px-2 py-0.5 font-mono text-accent hover:underline"
                >
                  {variable}
                </button>
              ))}
            </div>
          )}
        </>
      )}
    </Field>
  );
}
