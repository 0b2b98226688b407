import { ChevronRight } from "lucide-react";
import type { SkillSource } from "@/client/library";
import { formatAgo, formatCount } from "@/lib/format";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { shortSha } from "./words";

interface Props {
  source: SkillSource;
  /** Goes back to an earlier commit; null for those who may not. */
  onRollBack: ((commit: string) => void) | null;
  isBusy: boolean;
}

/** The commits that were read before, each a place to go back to. */
export function SourceHistory({ source, onRollBack, isBusy }: Props) {
  if (source.history.length < 2) return null;
  return (
    <details className="group">
      <summary className="flex w-fit cursor-pointer list-none items-center gap-1.5 rounded text-sm font-medium text-muted hover:text-ink">
        <ChevronRight aria-hidden className="size-4 transition-transform group-open:rotate-90" />
        Earlier commits
      </summary>
      <ul className="mt-2 divide-y rounded-lg border">
        {source.history.map((one) => (
          <li key={one.commit_sha} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5">
            <code className="text-sm">{shortSha(one.commit_sha)}</code>
            <span className="flex-1 text-sm text-muted">
              {formatCount(one.skills, "skill")}, {formatAgo(one.synced_at)}
            </span>
            {one.commit_sha === source.git_commit_sha ? (
              <Badge tone="accent">Current</Badge>
            ) : (
              onRollBack && (
                <Button size="sm" disabled={isBusy} onClick={() => onRollBack(one.commit_sha)}>
                  Go back to it<span className="sr-only">: {shortSha(one.commit_sha)}</span>
                </Button>
              )
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}
