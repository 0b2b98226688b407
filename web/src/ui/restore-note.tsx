import { History } from "lucide-react";
import { formatAgo } from "@/lib/format";
import type { KeptDraft } from "@/lib/kept-draft";
import { Button } from "./button";

interface Props {
  kept: KeptDraft | null;
  /** The tag of what is stored now. */
  etag?: string | null;
  /** What it is based on, such as "version 3". */
  basis?: string;
}

/** Offers work of an earlier visit that was never saved: taken up again, or thrown away. */
export function RestoreNote({ kept, etag = null, basis = "what is stored now" }: Props) {
  if (!kept) return null;
  const words = kept.isOutdated(etag)
    ? "Somebody has saved since; where both changed the same, you will be asked."
    : `They begin from ${basis}.`;
  return (
    <section
      aria-label="Unsaved work of an earlier visit"
      className="flex flex-wrap items-center gap-x-3 gap-y-2 rounded-xl bg-accent-soft px-4 py-2.5"
    >
      <History aria-hidden className="size-4 shrink-0 text-accent" />
      <p role="status" className="min-w-0 flex-1 basis-60">
        Changes of {formatAgo(kept.keptAt)} were not saved; this device kept them. {words}
      </p>
      <div className="flex gap-2">
        <Button size="sm" onClick={kept.discard}>
          Discard
        </Button>
        <Button size="sm" look="primary" onClick={kept.restore}>
          Restore
        </Button>
      </div>
    </section>
  );
}
