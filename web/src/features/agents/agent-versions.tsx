import { useQuery } from "@tanstack/react-query";
import type { Agent } from "@/client";
import type { AgentVersion } from "@/client/lifecycle";
import { formatAgo } from "@/lib/format";
import { useCan, useWorkspace } from "@/lib/workspace";
import { DiffList } from "@/ui/diff-list";
import { SelectField } from "@/ui/field";
import { Loaded, LoadProblem } from "@/ui/loaded";
import { Panel } from "@/ui/panel";
import { SkeletonRows } from "@/ui/states";
import { RestorableVersions } from "@/ui/version-rows";
import { pairOf, rowsOf } from "./agent-versions-diff";
import { agentVersionsQuery, useRestoreVersion, versionDiffQuery } from "./lifecycle-queries";

interface Props {
  agent: Agent;
  from: number | undefined;
  to: number | undefined;
  onCompare: (pair: { from: number; to: number }) => void;
}

/** Every saved state of the agent; any two can be compared, any can be made the current one again. */
export function AgentVersions({ agent, from, to, onCompare }: Props) {
  const { id: workspace } = useWorkspace();
  const versions = useQuery(agentVersionsQuery(workspace, agent.id));
  const mayEdit = useCan("editor");
  const restore = useRestoreVersion(agent.id);
  return (
    <Loaded of={versions} pending={<SkeletonRows rows={4} />}>
      {(found) => {
        const { items } = found;
        const pair = pairOf(items, from, to);

        return (
          <>
            {pair && <Comparison agentId={agent.id} versions={items} pair={pair} onCompare={onCompare} />}
            <Panel title="Saved versions" lead="Each save of the configuration is one; the status is not part of it.">
              <RestorableVersions
                items={items}
                current={agent.version}
                mayRestore={mayEdit}
                onRestore={async (version) => (await restore.mutateAsync(version)).version}
              >
                It becomes a new version; the ones in between stay. Work that is under way goes on as it began.
              </RestorableVersions>
            </Panel>
          </>
        );
      }}
    </Loaded>
  );
}

interface ComparisonProps {
  agentId: number;
  versions: readonly AgentVersion[];
  pair: { from: number; to: number };
  onCompare: (pair: { from: number; to: number }) => void;
}

function Comparison({ agentId, versions, pair, onCompare }: ComparisonProps) {
  const { id: workspace } = useWorkspace();
  const diff = useQuery(versionDiffQuery(workspace, agentId, pair.from, pair.to));
  return (
    <Panel title="Compare">
      <div className="flex flex-wrap gap-x-4">
        <VersionSelect
          label="From"
          versions={versions}
          value={pair.from}
          onChange={(from) => onCompare({ ...pair, from })}
        />
        <VersionSelect label="To" versions={versions} value={pair.to} onChange={(to) => onCompare({ ...pair, to })} />
      </div>
      <div aria-live="polite">
        {diff.isPending && <SkeletonRows rows={2} />}
        <LoadProblem of={diff} />
        {diff.data?.changes.length === 0 && <p className="text-muted">These two versions say the same.</p>}
        {diff.data && diff.data.changes.length > 0 && (
          <DiffList
            rows={rowsOf(diff.data.changes)}
            sides={{ before: `Version ${pair.from}`, after: `Version ${pair.to}` }}
          />
        )}
      </div>
    </Panel>
  );
}

interface SelectProps {
  label: string;
  versions: readonly AgentVersion[];
  value: number;
  onChange: (version: number) => void;
}

function VersionSelect({ label, versions, value, onChange }: SelectProps) {
  return (
    <SelectField
      label={label}
      className="w-full sm:w-60"
      value={value}
      onChange={(event) => onChange(Number(event.target.value))}
    >
      {versions.map((one) => (
        <option key={one.version} value={one.version}>
          Version {one.version}, {formatAgo(one.created_at)}
        </option>
      ))}
    </SelectField>
  );
}
