import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { FileText } from "lucide-react";
import type { ReactNode } from "react";
import type { SkillDocument } from "@/client/library";
import { formatAgo, formatCount, formatTokens } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { CopyButton } from "@/ui/copy";
import { LoadProblem } from "@/ui/loaded";
import { Panel } from "@/ui/panel";
import { Stat, Stats } from "@/ui/stat";
import { SkeletonRows } from "@/ui/states";
import { RichText } from "@/ui/text/rich-text";
import { contentQuery } from "./queries";
import { OriginBadge } from "./skill-list";
import { SkillNotes } from "./skill-notes";
import { calledUp, formatBytes, shortSha } from "./words";

/** What an agent reads of a skill, level by level. */
export function SkillInstructions({ skill }: { skill: SkillDocument }) {
  const { id: workspace } = useWorkspace();
  const summary = useQuery(contentQuery(workspace, skill.id, 1));
  const core = useQuery(contentQuery(workspace, skill.id, 2));
  const files = skill.files.reduce((sum, file) => sum + file.estimated_tokens, 0);
  return (
    <>
      <Stats>
        <Stat
          label="1. Summary"
          value={summary.data ? formatTokens(summary.data.estimated_tokens) : "–"}
          hint="always in the prompt"
        />
        <Stat label="2. Instructions" value={formatTokens(skill.core_tokens)} hint="read when a task needs them" />
        <Stat
          label="3. Files"
          value={formatTokens(files)}
          hint={`${formatCount(skill.files.length, "file")}, one at a time`}
        />
        <Stat
          label="Used by"
          value={skill.agents.length || "–"}
          hint={skill.agents.length === 0 ? "no agent yet" : skill.agents.length === 1 ? "agent" : "agents"}
        />
      </Stats>
      <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <Panel
          title="Instructions"
          action={core.data && <CopyButton text={core.data.content} label="Copy the instructions" />}
        >
          {core.isPending && <SkeletonRows rows={4} />}
          <LoadProblem of={core} />
          {core.data && <RichText text={core.data.content} level={2} />}
        </Panel>
        <div className="grid min-w-0 grid-cols-1 gap-4">
          <SkillNotes skill={skill} />
          <About skill={skill} />
        </div>
      </div>
    </>
  );
}

function About({ skill }: { skill: SkillDocument }) {
  return (
    <Panel title="About">
      <dl className="grid gap-3">
        <Line name="Origin">
          <OriginBadge skill={skill} />
        </Line>
        <Line name="Category">
          {skill.category}, {skill.skill_type}
        </Line>
        <Line name="Version">
          {skill.current_version}, {formatAgo(skill.updated_at)}
          {skill.git_commit_sha && <code className="ml-2 text-sm">{shortSha(skill.git_commit_sha)}</code>}
        </Line>
        <Line name="Called up">{calledUp(skill)}</Line>
        {skill.tags.length > 0 && <Line name="Tags">{skill.tags.join(", ")}</Line>}
        {skill.tools_schema.length > 0 && (
          <Line name="Tools">
            <code className="text-sm">{skill.tools_schema.map((tool) => String(tool.name)).join(", ")}</code>
          </Line>
        )}
        {skill.agents.length > 0 && (
          <Line name="Agents">
            {skill.agents.map((agent) => (
              <Link
                key={agent.id}
                to="/w/$workspace/agents/$agentId"
                from="/w/$workspace"
                params={{ agentId: String(agent.id) }}
                className="mr-3 text-accent underline-offset-2 hover:underline"
              >
                {agent.name}
              </Link>
            ))}
          </Line>
        )}
      </dl>
    </Panel>
  );
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid gap-0.5">
      <dt className="text-sm text-muted">{name}</dt>
      <dd className="min-w-0 wrap-anywhere">{children}</dd>
    </div>
  );
}

interface FilesProps {
  skill: SkillDocument;
  file: string | undefined;
  onOpen: (path: string) => void;
}

/** The files beside the instructions, and the text of the one that is open. */
export function SkillFiles({ skill, file, onOpen }: FilesProps) {
  if (skill.files.length === 0) {
    return <p className="text-muted">This skill has no files beside its instructions.</p>;
  }
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[20rem_1fr]">
      <nav aria-label="Files" className="card overflow-hidden">
        <ul className="divide-y">
          {skill.files.map((one) => (
            <li key={one.path}>
              <button
                type="button"
                onClick={() => onOpen(one.path)}
                aria-current={one.path === file ? "true" : undefined}
                className="flex w-full items-start gap-2.5 px-4 py-2.5 text-left outline-offset-[-2px] hover:bg-sunken aria-[current]:bg-accent-soft"
              >
                <FileText aria-hidden className="mt-0.5 size-4 shrink-0 text-muted" />
                <span className="min-w-0">
                  <span className="block font-mono text-sm break-all">{one.path}</span>
                  <span className="text-sm text-muted tabular">
                    {one.kind}, {formatBytes(one.size_bytes)}, {formatTokens(one.estimated_tokens)}
                  </span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      </nav>
      {file ? <OpenFile skill={skill} path={file} /> : <p className="p-4 text-muted">Choose a file to read it.</p>}
    </div>
  );
}

function OpenFile({ skill, path }: { skill: SkillDocument; path: string }) {
  const { id: workspace } = useWorkspace();
  const content = useQuery(contentQuery(workspace, skill.id, 3, path));
  return (
    <Panel title={path} action={content.data && <CopyButton text={content.data.content} label="Copy the file" />}>
      {content.isPending && <SkeletonRows rows={3} />}
      <LoadProblem of={content} />
      {content.data && (
        <pre className="overflow-x-auto rounded-lg bg-sunken px-4 py-3 font-mono text-sm wrap-anywhere whitespace-pre-wrap">
          {content.data.content}
        </pre>
      )}
    </Panel>
  );
}
