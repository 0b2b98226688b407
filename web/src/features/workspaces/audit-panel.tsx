import { useInfiniteQuery } from "@tanstack/react-query";
import { formatAgo, formatTime } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { Panel, Row, Rows } from "@/ui/panel";
import { ProblemNote } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";
import { auditQuery } from "./queries";

/** Who changed what here, newest first. */
export function AuditPanel() {
  const { id: workspace } = useWorkspace();
  const log = useInfiniteQuery(auditQuery(workspace));
  const entries = log.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Panel title="Audit log" lead="Changes of people, keys, credentials, settings and agents.">
      {log.isPending && <SkeletonRows rows={5} className="h-12" />}
      {log.isError && <ProblemNote error={log.error} onRetry={() => log.refetch()} />}
      {log.data && entries.length === 0 && <p className="text-muted">Nothing has been changed yet.</p>}
      {entries.length > 0 && (
        <Rows>
          {entries.map((entry) => (
            <Row
              key={entry.id}
              title={<span className="font-mono text-sm font-normal">{entry.action}</span>}
              detail={`${entry.actor || "the server"}, ${entry.target_type} ${entry.target_id}`}
            >
              <time dateTime={entry.created_at} title={formatTime(entry.created_at)} className="text-sm text-muted">
                {formatAgo(entry.created_at)}
              </time>
            </Row>
          ))}
        </Rows>
      )}
      {log.hasNextPage && (
        <Button className="justify-self-center" busy={log.isFetchingNextPage} onClick={() => log.fetchNextPage()}>
          Load more
        </Button>
      )}
    </Panel>
  );
}
