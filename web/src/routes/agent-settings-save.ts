import { useQueryClient } from "@tanstack/react-query";
import { type AgentDraft, changesOf, draftOf } from "@/features/agents/draft";
import { agentQuery, useSaveAgent } from "@/features/agents/queries";
import * as beats from "@/features/heartbeats/draft";
import { heartbeatQuery, useSaveHeartbeat } from "@/features/heartbeats/queries";
import type { Side } from "@/lib/changes";
import type { Edited, Saved, Storage } from "@/lib/edited";
import { useWorkspace } from "@/lib/workspace";
import { toast } from "@/ui/toaster";

type Sides = ReadonlyMap<string, Side>;

/** Saves an agent and its heartbeat as one: the agent first, and the heartbeat only if that went well. */
export function useSettingsSave(id: number, edit: Edited<AgentDraft>, beat: Edited<beats.HeartbeatDraft>) {
  const { id: workspace } = useWorkspace();
  const cache = useQueryClient();
  const saveAgent = useSaveAgent();
  const saveBeat = useSaveHeartbeat();

  const agents: Storage<AgentDraft> = {
    send: async ({ before, after, etag }) => {
      const saved = await saveAgent.mutateAsync({ id, etag, body: changesOf(before, after) });
      cache.setQueryData(agentQuery(workspace, id).queryKey, saved);
      return { data: draftOf(saved.data), etag: saved.etag };
    },
    read: async () => {
      const { data, etag } = await cache.fetchQuery({ ...agentQuery(workspace, id), staleTime: 0 });
      return { data: draftOf(data), etag };
    },
  };

  const heartbeats: Storage<beats.HeartbeatDraft> = {
    send: async ({ before, after, etag }) => {
      const saved = await saveBeat.mutateAsync({ agentId: id, etag, body: beats.changesOf(before, after) });
      cache.setQueryData(heartbeatQuery(workspace, id).queryKey, saved);
      return { data: beats.draftOf(saved.data), etag: saved.etag };
    },
    read: async () => {
      const { data, etag } = await cache.fetchQuery({ ...heartbeatQuery(workspace, id), staleTime: 0 });
      return { data: beats.draftOf(data), etag };
    },
  };

  /** Goes on with the heartbeat, if that changed too; says how the last of them ended. */
  async function thenBeat(agent: Saved): Promise<Saved> {
    let saved = agent;
    if (saved === "stored" && beat.isDirtyNow()) saved = await beat.save(heartbeats);
    if (saved === "stored") toast.success("Saved.");
    return saved;
  }

  async function all(): Promise<Saved> {
    return thenBeat(edit.isDirtyNow() ? await edit.save(agents) : "stored");
  }

  return {
    all,
    /** Saves what was chosen from both sides of the agent, then what still waits. */
    settleAgent: async (sides: Sides) => thenBeat(await edit.settle(sides, agents)),
    settleBeat: async (sides: Sides) => {
      const saved = await beat.settle(sides, heartbeats);
      if (saved === "stored") toast.success("Saved.");
      return saved;
    },
    agentProblem: edit.problem,
    beatProblem: beat.problem,
    isBusy: edit.isSaving || beat.isSaving,
  };
}

export type SettingsSave = ReturnType<typeof useSettingsSave>;
