import { useQuery } from "@tanstack/react-query";
import { Zap } from "lucide-react";
import { useEffect } from "react";
import { useCan, useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { ProblemNote } from "@/ui/problem";
import { useTryModel } from "./catalogue-queries";
import type { ModelDraft } from "./model-draft";
import { defaultModelQuery } from "./queries";
import { TrialNote } from "./trial-note";

/** One tiny real call, so that a missing key or a wrong name shows now and not in the first task. */
export function ModelTest({ value }: { value: ModelDraft }) {
  const { id: workspace } = useWorkspace();
  const fallback = useQuery(defaultModelQuery(workspace)).data;
  const model = value.model ?? fallback;
  const test = useTryModel();
  const { reset } = test;
  const asked = JSON.stringify(value);
  // biome-ignore lint/correctness/useExhaustiveDependencies: an answer is about the settings it was asked for
  useEffect(reset, [asked]);
  if (!useCan("editor")) return null;

  function ask() {
    if (!model) return;
    const settings = value.model
      ? {
          temperature: value.temperature,
          max_tokens: value.maxTokens,
          top_p: value.topP,
          reasoning_effort: value.reasoningEffort,
        }
      : {};
    test.mutate({ provider: model.provider, model_id: model.model_id, ...settings });
  }

  return (
    <div className="grid gap-3">
      <Button className="justify-self-start" disabled={!model} busy={test.isPending} onClick={ask}>
        {!test.isPending && <Zap aria-hidden className="size-4" />} Test this model
      </Button>
      <div aria-live="polite" className="empty:hidden">
        {test.data && <TrialNote result={test.data} />}
        {test.error && <ProblemNote error={test.error} />}
      </div>
    </div>
  );
}
