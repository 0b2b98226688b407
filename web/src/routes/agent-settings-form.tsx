import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Eye } from "lucide-react";
import { useState } from "react";
import type { Agent } from "@/client";
import type { HeartbeatConfig } from "@/client/agents";
import { draftOf } from "@/features/agents/draft";
import { complaintsOf, differencesOf, faultOf, faultsIn, TABS, type TabId, tabsOf } from "@/features/agents/fields";
import { SettingsTab, settingsTabs } from "@/features/agents/settings-tabs";
import * as beats from "@/features/heartbeats/draft";
import { HeartbeatFields } from "@/features/heartbeats/heartbeat-fields";
import { LastBeat } from "@/features/heartbeats/last-beat";
import { personaChoicesQuery } from "@/features/personas/persona-picker";
import { skillChoicesQuery } from "@/features/skills/skill-checklist";
import { useEdited } from "@/lib/edited";
import { formatCount } from "@/lib/format";
import type { Tagged } from "@/lib/http";
import { useUnsavedGuard } from "@/lib/unsaved";
import { useCan, useWorkspace } from "@/lib/workspace";
import { ConflictDialog } from "@/ui/conflict-dialog";
import { RestoreNote } from "@/ui/restore-note";
import { SaveBar } from "@/ui/save-bar";
import { Tabs } from "@/ui/tabs";
import { SettingsReview } from "./agent-settings-dialogs";
import { useSettingsSave } from "./agent-settings-save";
import { agentSlots } from "./agent-slots";

const route = getRouteApi("/w/$workspace/agents/$agentId/settings/{-$tab}");
const SLOTS = agentSlots(true);

interface Props {
  agent: Tagged<Agent>;
  heartbeat: Tagged<HeartbeatConfig>;
}

/** Names of what a draft knows by id. */
function useNames() {
  const { id: workspace } = useWorkspace();
  const personas = useQuery(personaChoicesQuery(workspace)).data?.items;
  const skills = useQuery(skillChoicesQuery(workspace)).data?.items;
  return {
    persona: (id: string) => personas?.find((one) => one.id === id)?.name,
    skill: (id: number) => skills?.find((one) => one.id === id)?.name,
  };
}

export function AgentSettings({ agent, heartbeat }: Props) {
  const { tab: asked, agentId, workspace: slug } = route.useParams();
  const tab: TabId = TABS.find((one) => one === asked) ?? "general";
  const navigate = route.useNavigate();
  const mayEdit = useCan("editor");
  const names = useNames();
  const edit = useEdited({ data: draftOf(agent.data), etag: agent.etag }, { keep: { kind: "agent", id: agentId } });
  const beat = useEdited(
    { data: beats.draftOf(heartbeat.data), etag: heartbeat.etag },
    { keep: { kind: "heartbeat", id: agentId } },
  );
  const save = useSettingsSave(agent.data.id, edit, beat);
  const [isReviewing, setReviewing] = useState(false);
  const isDirty = edit.isDirty || beat.isDirty;
  useUnsavedGuard(isDirty, `/w/${slug}/agents/${agentId}/settings`);

  const seen = faultsIn(edit.draft);
  const faults = [...seen, ...complaintsOf(save.agentProblem)];
  const beatFaults = beats.faultsIn(beat.draft);
  const rows = [...differencesOf(edit.origin, edit.draft, names), ...beats.differencesOf(beat.origin, beat.draft)];
  const go = (to: string) => navigate({ params: (params) => ({ ...params, tab: to }), resetScroll: false });

  function review() {
    const faulty = [...tabsOf(seen), ...(beatFaults.length > 0 ? ["heartbeat"] : [])];
    if (faulty[0]) void go(faulty[0]);
    else setReviewing(true);
  }

  const wrong = seen.length + beatFaults.length;
  return (
    <>
      {!mayEdit && (
        <p className="flex items-center gap-2 rounded-xl bg-sunken px-4 py-2.5 text-muted">
          <Eye aria-hidden className="size-4 shrink-0" /> Your role here lets you look at this, not change it.
        </p>
      )}
      {mayEdit && <RestoreNote kept={edit.kept} etag={agent.etag} basis={`version ${agent.data.version}`} />}
      {mayEdit && <RestoreNote kept={beat.kept} etag={heartbeat.etag} basis="the heartbeat as it is stored" />}
      <Tabs
        label="Configuration"
        tabs={settingsTabs({
          before: edit.origin,
          after: edit.draft,
          faults,
          isHeartbeatChanged: beat.isDirty,
          isHeartbeatFaulty: beatFaults.length > 0 || save.beatProblem !== null,
        })}
        value={tab}
        onChange={(to) => void go(to)}
      >
        <fieldset disabled={!mayEdit} className="grid min-w-0 gap-6">
          <SettingsTab
            tab={tab}
            part={{
              draft: edit.draft,
              change: edit.change,
              fault: (key) => faultOf(faults, key),
            }}
            slots={SLOTS}
            heartbeat={
              <>
                <HeartbeatFields
                  draft={beat.draft}
                  change={beat.change}
                  hours={heartbeat.data.active_hours}
                  fault={(key) => beats.faultOf(save.beatProblem, key)}
                />
                <LastBeat agentId={agent.data.id} config={heartbeat.data} runLink={(id) => <RunLink id={id} />} />
              </>
            }
          />
        </fieldset>
      </Tabs>
      {mayEdit && isDirty && (
        <SaveBar
          text={
            wrong > 0
              ? `${formatCount(wrong, "field")} to correct`
              : unsavedWords(rows.length, edit.isStale || beat.isStale)
          }
          action={wrong > 0 ? "Show the first" : "Review and save"}
          onSave={review}
          onDiscard={() => {
            edit.discard();
            beat.discard();
          }}
        />
      )}
      {isReviewing && isDirty && !edit.conflict && !beat.conflict && (
        <SettingsReview name={agent.data.name} rows={rows} save={save} onClose={() => setReviewing(false)} />
      )}
      <ConflictDialog
        what="agent"
        edit={edit}
        rows={(stored, mine) => differencesOf(stored, mine, names)}
        onSave={save.settleAgent}
        onSaved={(saved) => setReviewing(saved === "refused")}
      />
      <ConflictDialog
        what="heartbeat"
        edit={beat}
        rows={beats.differencesOf}
        fieldOf={(key) => key.replace("heartbeat.", "")}
        onSave={save.settleBeat}
        onSaved={(saved) => setReviewing(saved === "refused")}
      />
    </>
  );
}

function unsavedWords(count: number, isStale: boolean): string {
  const changes = formatCount(count, "unsaved change");
  return isStale ? `${changes}; somebody else has saved meanwhile` : changes;
}

function RunLink({ id }: { id: string }) {
  return (
    <Link
      to="/w/$workspace/runs/$runId"
      from="/w/$workspace"
      params={{ runId: id }}
      className="text-accent hover:underline"
    >
      Look at the run
    </Link>
  );
}
