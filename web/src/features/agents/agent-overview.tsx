import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Agent } from "@/client";
import { formatAgo, formatCount, formatTime, formatTokens } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { Badge } from "@/ui/badge";
import { Panel } from "@/ui/panel";
import { Fact, Facts, Stat, Stats } from "@/ui/stat";
import { spentOf } from "./agent-facts";
import { successOf } from "./agent-usage";
import { WorkList } from "./impact-view";
import { agentStateQuery } from "./lifecycle-queries";

/** Who this agent is and how it does, at a glance. */
export function AgentOverview({ agent }: { agent: Agent }) {
  const { id: workspace } = useWorkspace();
  const state = useQuery(agentStateQuery(workspace, agent.id));
  const work = state.data?.workload;
  const { running, queued } = work ?? agent.workload;
  const usage = agent.model_usage_stats;
  const success = successOf(agent);
  return (
    <>
      <Stats>
        <Stat
          label="Work now"
          value={<span aria-live="polite">{running} running</span>}
          hint={`${queued > 0 ? `${queued} queued, ` : ""}at most ${agent.max_concurrent_tasks} at once`}
        />
        <Stat label="Success rate" value={success.rate} hint={success.basis} />
        <Stat
          label="Tokens"
          value={formatTokens(usage.total_tokens)}
          hint={formatCount(usage.total_requests, "request")}
        />
        <Stat
          label="Cost"
          value={spentOf(agent)}
          hint={usage.last_used_at ? `last used ${formatAgo(usage.last_used_at)}` : "not used yet"}
        />
      </Stats>
      {work && work.active.length > 0 && (
        <Panel title="At work on">
          <WorkList work={work.active} />
        </Panel>
      )}
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <Panel title="Who it is">
          <Facts>
            <Fact name="Persona">
              <PersonaLine agent={agent} />
            </Fact>
            <Fact name="Model">
              {agent.model_config ? (
                <>
                  {agent.model_config.model_id} <span className="text-muted">({agent.model_config.provider})</span>
                </>
              ) : (
                "the workspace’s default"
              )}
            </Fact>
            <Fact name="Category">{agent.marketplace_category ?? <None />}</Fact>
            <Fact name="Priority">{agent.priority_level}</Fact>
            <Fact name="Tags">{agent.tags.length > 0 ? agent.tags.join(", ") : <None />}</Fact>
            <Fact name="Created">
              {formatTime(agent.created_at)} <span className="text-muted">by {agent.created_by}</span>
            </Fact>
          </Facts>
        </Panel>
        <Capabilities agent={agent} />
      </div>
    </>
  );
}

function None() {
  return <span className="text-muted">none</span>;
}

function PersonaLine({ agent }: { agent: Agent }) {
  if (agent.use_custom_persona && agent.custom_persona_prompt) return "its own prompt";
  if (!agent.persona) return <None />;
  return (
    <Link
      to="/w/$workspace/personas"
      from="/w/$workspace"
      search={{ view: agent.persona.id }}
      className="text-accent underline-offset-2 hover:underline"
    >
      {agent.persona.name}
    </Link>
  );
}

function Capabilities({ agent }: { agent: Agent }) {
  const { skills, granted_tools: tools, plugins } = agent;
  const isEmpty = skills.length + tools.length + plugins.length === 0;
  return (
    <Panel title="What it can do">
      {isEmpty && <p className="text-muted">It has no skills and no tools: it answers from its prompt alone.</p>}
      {skills.length > 0 && (
        <Group title={formatCount(skills.length, "skill")}>
          {skills.map((skill) => (
            <li key={skill.id}>
              <Link
                to="/w/$workspace/skills/$skillId"
                from="/w/$workspace"
                params={{ skillId: String(skill.id) }}
                className="text-accent underline-offset-2 hover:underline"
              >
                {skill.name}
              </Link>
              {!skill.is_active && <Off reason="not active" />}
            </li>
          ))}
        </Group>
      )}
      {tools.length > 0 && (
        <Group title={formatCount(tools.length, "tool")}>
          {tools.map((tool) => (
            <li key={tool.name} title={tool.description}>
              <span className="font-mono text-sm">{tool.name}</span>
              {!tool.is_available && <Off reason={tool.off_reason ?? "not available"} />}
            </li>
          ))}
        </Group>
      )}
      {plugins.length > 0 && (
        <Group title={formatCount(plugins.length, "plugin")}>
          {plugins.map((plugin) => (
            <li key={plugin.plugin_id}>
              {plugin.name} <span className="text-muted">{plugin.version}</span>
            </li>
          ))}
        </Group>
      )}
    </Panel>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="grid gap-1.5">
      <h3 className="text-sm text-muted">{title}</h3>
      <ul className="flex flex-wrap gap-x-5 gap-y-1.5">{children}</ul>
    </div>
  );
}

function Off({ reason }: { reason: string }) {
  return (
    <span className="ml-2">
      <Badge tone="warn">{reason}</Badge>
    </span>
  );
}
