import { type ReactNode, useState } from "react";
import { formatAgo, formatTime } from "@/lib/format";
import { Badge } from "./badge";
import { Button } from "./button";
import { Confirm } from "./confirm";
import { Row, Rows } from "./panel";
import { toast } from "./toaster";

export interface SavedVersion {
  version: number;
  created_at: string;
  author: string;
  /** Said after who saved it. */
  note?: string | undefined;
}

interface RowsProps {
  items: readonly SavedVersion[];
  current: number;
  /** What can be done with an earlier version. */
  action?: ((version: number) => ReactNode) | undefined;
}

/** The saved states of a thing, newest first: when, by whom, and which is the current one. */
export function VersionRows({ items, current, action }: RowsProps) {
  return (
    <Rows>
      {items.map(({ version, created_at, author, note }) => (
        <Row
          key={version}
          title={`Version ${version}`}
          detail={
            <>
              <time dateTime={created_at} title={formatTime(created_at)}>
                {formatAgo(created_at)}, by {author || "the server"}
              </time>
              {note && `, ${note}`}
            </>
          }
        >
          {version === current ? <Badge tone="accent">Current</Badge> : action?.(version)}
        </Row>
      ))}
    </Rows>
  );
}

interface RestorableProps {
  items: readonly SavedVersion[];
  current: number;
  mayRestore: boolean;
  /** Makes a version the current one again, and says as which version it is stored. */
  onRestore: (version: number) => Promise<number>;
  /** What restoring means, for whoever is asked. */
  children: ReactNode;
}

/** The saved states of a thing, of which any can be made the current one again. */
export function RestorableVersions({ items, current, mayRestore, onRestore, children }: RestorableProps) {
  const [restoring, setRestoring] = useState<number | null>(null);
  return (
    <>
      <VersionRows
        items={items}
        current={current}
        action={
          mayRestore
            ? (version) => (
                <Button size="sm" onClick={() => setRestoring(version)}>
                  Restore<span className="sr-only"> version {version}</span>
                </Button>
              )
            : undefined
        }
      />
      <Confirm
        open={restoring !== null}
        onOpenChange={(open) => !open && setRestoring(null)}
        title={`Restore version ${restoring}?`}
        action="Restore"
        onConfirm={async () => {
          if (restoring === null) return;
          toast.success(`Version ${restoring} is back, as version ${await onRestore(restoring)}.`);
        }}
      >
        {children}
      </Confirm>
    </>
  );
}
