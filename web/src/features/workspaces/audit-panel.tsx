import { useInfiniteQuery } from "@tanstack/react-query";
import { ChevronRight } from "lucide-react";
import type { AuditEntry } from "@/client/system";
import { formatAgo, formatTime } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { FilterBar, PickFilter, SearchBox } from "@/ui/filters";
import { LoadProblem } from "@/ui/loaded";
import { Panel } from "@/ui/panel";
import { SkeletonRows } from "@/ui/states";
import { actionWords, type DetailLine, filterOf, linesOf, WAYS, wayOf, whoText } from "./audit-words";
import { type AuditFilters, auditQuery } from "./queries";

const NOUNS = [
  "agent",
  "api_key",
  "credential",
  "heartbeat",
  "member",
  "model",
  "persona",
  "recipe",
  "setting",
  "skill",
  "skill_source",
  "workspace",
].map((value) => ({ value, label: value.replaceAll("_", " ") }));

interface Props {
  filters: AuditFilters;
  onFilter: (part: AuditFilters) => void;
}

/** Who changed what here, newest first. */
export function AuditPanel({ filters, onFilter }: Props) {
  const { id: workspace } = useWorkspace();
  const log = useInfiniteQuery(auditQuery(workspace, filters));
  const entries = log.data?.pages.flatMap((page) => page.items) ?? [];
  const isFiltered = Object.values(filters).some(Boolean);
  return (
    <Panel
      title="Audit log"
      lead="Every change of people, keys, credentials, settings, agents and what they work with."
    >
      <FilterBar>
        <PickFilter
          label="All changes"
          options={withChosen(filters.action)}
          value={filters.action}
          onChange={(action) => onFilter({ action })}
        />
        <SearchBox
          label="By the name they chose"
          value={filters.actor ?? ""}
          onChange={(text) => onFilter({ actor: text || undefined })}
        />
        <PickFilter
          label="However they came"
          options={WAYS}
          value={filters.way}
          onChange={(way) => onFilter({ way })}
        />
        {filters.who && (
          <Button size="sm" onClick={() => onFilter({ who: undefined })}>
            Only by {filters.who.replace(":", " ")}: show all
          </Button>
        )}
        {filters.from && (
          <Button size="sm" onClick={() => onFilter({ from: undefined })}>
            Only from {filters.from}: show all
          </Button>
        )}
        {filters.target && (
          <Button size="sm" onClick={() => onFilter({ target: undefined })}>
            Only {filters.target.replace(":", " ")}: show all
          </Button>
        )}
      </FilterBar>
      {log.isPending && <SkeletonRows rows={5} className="h-12" />}
      <LoadProblem of={log} />
      {log.data && entries.length === 0 && (
        <p className="text-muted">{isFiltered ? "No entry fits these filters." : "Nothing has been changed yet."}</p>
      )}
      {entries.length > 0 && (
        <ul className="divide-y rounded-lg border">
          {entries.map((entry) => (
            <Entry key={entry.id} entry={entry} onFilter={onFilter} />
          ))}
        </ul>
      )}
      {log.hasNextPage && (
        <Button className="justify-self-center" busy={log.isFetchingNextPage} onClick={() => log.fetchNextPage()}>
          Load more
        </Button>
      )}
    </Panel>
  );
}

/** The nouns to filter by, with the action that the address names where it is a finer one. */
function withChosen(action: string | undefined) {
  if (!action || NOUNS.some((one) => one.value === action)) return NOUNS;
  return [...NOUNS, { value: action, label: actionWords(action) }];
}

function Entry({ entry, onFilter }: { entry: AuditEntry; onFilter: (part: AuditFilters) => void }) {
  const target = `${entry.target_type}:${entry.target_id}`;
  return (
    <li>
      <details className="group">
        <summary className="flex cursor-pointer list-none flex-wrap items-center gap-x-4 gap-y-0.5 px-4 py-3 outline-offset-[-2px] hover:bg-sunken">
          <ChevronRight aria-hidden className="size-4 shrink-0 text-muted transition-transform group-open:rotate-90" />
          <span className="min-w-0 flex-1 basis-40">
            <span className="inline-block font-medium wrap-anywhere first-letter:uppercase">
              {actionWords(entry.action)}
            </span>
            <span className="block text-sm wrap-anywhere text-muted">
              <Who entry={entry} />
              {nameIn(entry) && `, ${nameIn(entry)}`}
            </span>
          </span>
          <time dateTime={entry.created_at} title={formatTime(entry.created_at)} className="text-sm text-muted">
            {formatAgo(entry.created_at)}
          </time>
        </summary>
        <div className="grid gap-3 border-t bg-sunken px-4 py-3 text-sm sm:pl-12">
          <dl className="grid gap-x-6 gap-y-1.5 sm:grid-cols-[max-content_1fr]">
            {linesOf(entry.detail).map((line) => (
              <Line key={line.name} line={line} />
            ))}
            <Line line={{ name: "target", text: `${entry.target_type.replaceAll("_", " ")} ${entry.target_id}` }} />
            <Line line={{ name: "when", text: formatTime(entry.created_at) }} />
            <Line line={{ name: "who", text: whoText(entry) }} />
            {wayOf(entry.carrier) && <Line line={{ name: "came by", text: wayOf(entry.carrier) }} />}
            {entry.client_address && <Line line={{ name: "from", text: entry.client_address }} />}
            {entry.request_id && <Line line={{ name: "request", text: entry.request_id }} />}
          </dl>
          <div className="flex flex-wrap gap-2">
            <Button size="sm" onClick={() => onFilter({ target })}>
              Everything about this one
            </Button>
            <Button size="sm" onClick={() => onFilter({ action: entry.action })}>
              Only this kind of change
            </Button>
            {filterOf(entry) && (
              <Button size="sm" onClick={() => onFilter({ who: filterOf(entry) })}>
                Everything by this {entry.actor_kind === "api_key" ? "key" : "account"}
              </Button>
            )}
            {entry.client_address && (
              <Button size="sm" onClick={() => onFilter({ from: entry.client_address })}>
                Everything from this address
              </Button>
            )}
          </div>
        </div>
      </details>
    </li>
  );
}

/** Who it was, and beside it the name they chose, marked as that. */
function Who({ entry }: { entry: AuditEntry }) {
  const isNamed = entry.actor_kind === "person" || entry.actor_kind === "api_key";
  if (!isNamed) return whoText(entry);
  return (
    <>
      <bdi title="The name they chose">“{entry.actor}”</bdi> ({whoText(entry)})
    </>
  );
}

/** What the entry is about, by name where it has one. */
function nameIn(entry: AuditEntry): string {
  const { name } = entry.detail;
  return typeof name === "string"
    ? name
    : entry.target_id && `${entry.target_type.replaceAll("_", " ")} ${entry.target_id}`;
}

function Line({ line }: { line: DetailLine }) {
  return (
    <div className="grid min-w-0 sm:col-span-2 sm:grid-cols-subgrid">
      <dt className="text-muted">{line.name}</dt>
      <dd className="min-w-0 wrap-anywhere">
        {line.before !== undefined && (
          <>
            <span className="text-muted line-through">{line.before}</span> <span aria-hidden>→</span>
            <span className="sr-only">became</span>{" "}
          </>
        )}
        {line.text}
      </dd>
    </div>
  );
}
