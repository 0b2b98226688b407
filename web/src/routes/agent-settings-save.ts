import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type AgentDraft, changesOf, draftOf } from "@/features/agents/draft";
import { agentQuery, useSaveAgent } from "@/features/agents/queries";
import * as beats from "@/features/heartbeats/draft";
import { heartbeatQuery, useSaveHeartbeat } from "@/features/heartbeats/queries";
import type { Edited } from "@/lib/edited";
import type { Tagged } from "@/lib/http";
import { asProblem, type Problem } from "@/lib/problem";
import { useWorkspace } from "@/lib/workspace";
import { toast } from "@/ui/toaster";

/** Both sides of a save that came second; one of the two things was saved by somebody else. */
export type Conflict =
  | { of: "agent"; mine: AgentDraft; base: AgentDraft; stored: Tagged<AgentDraft> }
  | { of: "heartbeat"; mine: beats.HeartbeatDraft; base: beats.HeartbeatDraft; stored: Tagged<beats.HeartbeatDraft> };

/** How a save ended: a conflict waits for a choice, a refusal says why. */
export type Saved = "stored" | "conflict" | "refused";

interface Change<T> {
  before: T;
  after: T;
  etag: string | null;
}

const STALE = 412;

/** Saves an agent and its heartbeat as one: the agent first, and the heartbeat only if that went well. */
export function useSettingsSave(id: number, edit: Edited<AgentDraft>, beat: Edited<beats.HeartbeatDraft>) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  const saveAgent = useSaveAgent();
  const saveBeat = useSaveHeartbeat();
  const [agentProblem, setAgentProblem] = useState<Problem | null>(null);
  const [beatProblem, setBeatProblem] = useState<Problem | null>(null);
  const [conflict, setConflict] = useState<Conflict | null>(null);

  function reset() {
    setAgentProblem(null);
    setBeatProblem(null);
    setConflict(null);
  }

  async function storeAgent({ before, after, etag }: Change<AgentDraft>): Promise<Saved> {
    try {
      const saved = await saveAgent.mutateAsync({ id, etag, body: changesOf(before, after) });
      cache.setQueryData(agentQuery(workspace, id).queryKey, saved);
      edit.take({ data: draftOf(saved.data), etag: saved.etag });
      return "stored";
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status !== STALE) {
        setAgentProblem(problem);
        return "refused";
      }
      const { data, etag: fresh } = await cache.fetchQuery({ ...agentQuery(workspace, id), staleTime: 0 });
      setConflict({ of: "agent", mine: after, base: before, stored: { data: draftOf(data), etag: fresh } });
      return "conflict";
    }
  }

  async function storeBeat({ before, after, etag }: Change<beats.HeartbeatDraft>): Promise<Saved> {
    try {
      const saved = await saveBeat.mutateAsync({ agentId: id, etag, body: beats.changesOf(before, after) });
      cache.setQueryData(heartbeatQuery(workspace, id).queryKey, saved);
      beat.take({ data: beats.draftOf(saved.data), etag: saved.etag });
      return "stored";
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status !== STALE) {
        setBeatProblem(problem);
        return "refused";
      }
      const { data, etag: fresh } = await cache.fetchQuery({ ...heartbeatQuery(workspace, id), staleTime: 0 });
      setConflict({ of: "heartbeat", mine: after, base: before, stored: { data: beats.draftOf(data), etag: fresh } });
      return "conflict";
    }
  }

  /**
   * Saves the agent, then the heartbeat if that went well; says how the last of them ended. A choice between two sides
   * stays in sight until what was chosen is stored or refused.
   */
  async function both(agent: Change<AgentDraft> | null, heartbeat: Change<beats.HeartbeatDraft> | null) {
    setAgentProblem(null);
    setBeatProblem(null);
    let saved: Saved = agent ? await storeAgent(agent) : "stored";
    if (saved === "stored" && heartbeat) saved = await storeBeat(heartbeat);
    if (saved !== "conflict") setConflict(null);
    if (saved === "stored") toast.success("Saved.");
    return saved;
  }

  const waiting = <T>(edited: Edited<T>): Change<T> | null =>
    edited.isDirty ? { before: edited.origin, after: edited.draft, etag: edited.etag } : null;

  /** Saves what was chosen from both sides, then what still waits. */
  async function settle(merged: AgentDraft | beats.HeartbeatDraft): Promise<Saved> {
    if (conflict?.of === "agent") {
      const after = merged as AgentDraft;
      edit.take(conflict.stored, after);
      return both({ before: conflict.stored.data, after, etag: conflict.stored.etag }, waiting(beat));
    }
    if (conflict?.of === "heartbeat") {
      const after = merged as beats.HeartbeatDraft;
      beat.take(conflict.stored, after);
      return both(null, { before: conflict.stored.data, after, etag: conflict.stored.etag });
    }
    return "stored";
  }

  /** Goes on from what is stored and drops the own changes of the thing in conflict. */
  function takeTheirs(): void {
    if (conflict?.of === "agent") edit.take(conflict.stored);
    if (conflict?.of === "heartbeat") beat.take(conflict.stored);
    reset();
  }

  return {
    all: () => both(waiting(edit), waiting(beat)),
    settle,
    takeTheirs,
    reset,
    agentProblem,
    beatProblem,
    conflict,
    closeConflict: () => setConflict(null),
    isBusy: saveAgent.isPending || saveBeat.isPending,
  };
}

export type SettingsSave = ReturnType<typeof useSettingsSave>;
