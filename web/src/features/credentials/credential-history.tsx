import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { CredentialEvent } from "@/client/system";
import { formatAgo, formatCost, formatTime, formatTokens } from "@/lib/format";
import { useWorkspace } from "@/lib/workspace";
import { Button } from "@/ui/button";
import { LoadProblem } from "@/ui/loaded";
import { SkeletonRows } from "@/ui/states";
import { credentialHistoryQuery } from "./queries";

/** Who used or changed a credential, newest first. */
export function CredentialHistory({ id }: { id: string }) {
  const { id: workspace } = useWorkspace();
  const history = useInfiniteQuery(credentialHistoryQuery(workspace, id));
  const events = history.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section className="grid gap-3">
      <h3 className="font-semibold">Use and changes</h3>
      {history.isPending && <SkeletonRows rows={3} className="h-10" />}
      <LoadProblem of={history} />
      {history.data && events.length === 0 && <p className="text-muted">Nobody has used or changed it yet.</p>}
      {events.length > 0 && (
        <ul className="divide-y rounded-lg border">
          {events.map((event) => (
            <Event key={`${event.kind} ${event.id}`} event={event} />
          ))}
        </ul>
      )}
      {history.hasNextPage && (
        <Button
          size="sm"
          className="justify-self-center"
          busy={history.isFetchingNextPage}
          onClick={() => history.fetchNextPage()}
        >
          Load more
        </Button>
      )}
    </section>
  );
}

function Event({ event }: { event: CredentialEvent }) {
  return (
    <li className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 px-3 py-2 text-sm">
      <span className="min-w-0 font-medium wrap-anywhere">
        {event.kind === "use" ? (event.model_id ?? event.provider ?? "used") : verbOf(event.action)}
      </span>
      <span className="min-w-0 flex-1 basis-40 wrap-anywhere text-muted">
        {event.kind === "use" ? <Use event={event} /> : (event.actor ?? "the server")}
        {!event.succeeded && <span className="text-bad">, failed{event.message && `: ${event.message}`}</span>}
      </span>
      <time dateTime={event.at} title={formatTime(event.at)} className="text-muted">
        {formatAgo(event.at)}
      </time>
    </li>
  );
}

/** "credential.created" as "Created". */
function verbOf(action: string | null): string {
  const words = (action ?? "changed").replace(/^credential\./, "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function Use({ event }: { event: CredentialEvent }) {
  return (
    <>
      {event.total_tokens !== null && `${formatTokens(event.total_tokens)}, ${formatCost(event.cost_usd)}`}
      {event.run_id && (
        <>
          {", "}
          <Link
            to="/w/$workspace/runs/$runId"
            from="/w/$workspace"
            params={{ runId: event.run_id }}
            className="text-accent underline-offset-2 hover:underline"
          >
            run
          </Link>
        </>
      )}
    </>
  );
}
