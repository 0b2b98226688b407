import { clsx } from "clsx";
import { CloudOff, RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { formatAgo } from "@/lib/format";
import { asProblem, SIGNED_OUT } from "@/lib/problem";
import { Button } from "./button";
import { Page } from "./page";
import { ProblemNote } from "./problem";
import { SkeletonRows } from "./states";

/** Something that is read from the server, as queries have it. `error` may be set although there is data. */
export interface Source<T> {
  data: T | undefined;
  error: unknown;
  refetch: () => unknown;
  dataUpdatedAt?: number;
  isFetching?: boolean;
}

interface LoadedProps<T> {
  of: Source<T>;
  /** What stands here until the data is there for the first time. */
  pending?: ReactNode;
  /** The title of the page this makes up, for as long as there is nothing to show. */
  page?: string;
  children: (data: T) => ReactNode;
}

/**
 * Shows what was read. It gives way to a problem only when there is nothing to show: data that could not be read
 * *again* stays, with whatever was typed into it, under a strip that says so.
 */
export function Loaded<T>({ of: source, pending, page, children }: LoadedProps<T>) {
  if (source.data === undefined) {
    const rest = source.error ? (
      <ProblemNote error={source.error} onRetry={() => source.refetch()} />
    ) : (
      (pending ?? <SkeletonRows />)
    );
    return page === undefined ? rest : <Page title={page}>{rest}</Page>;
  }
  return (
    <>
      {Boolean(source.error) && (
        <OutOfDate
          of={source}
          className={page === undefined ? "" : "mx-4 mt-4 sm:mx-8 xl:mx-auto xl:w-full xl:max-w-272"}
        />
      )}
      {children(source.data)}
    </>
  );
}

/** The failure of one part of a page, beside data that is shown elsewhere: a problem, or the strip if there is data. */
export function LoadProblem({ of: source }: { of: Source<unknown> }) {
  if (!source.error) return null;
  if (source.data !== undefined) return <OutOfDate of={source} />;
  return <ProblemNote error={source.error} onRetry={() => source.refetch()} />;
}

function OutOfDate({ of: source, className }: { of: Source<unknown>; className?: string }) {
  const problem = asProblem(source.error);
  // The whole page says so already, with the one thing to do about it.
  if (problem.code === SIGNED_OUT) return null;
  const readAt = source.dataUpdatedAt ? formatAgo(new Date(source.dataUpdatedAt).toISOString()) : "earlier";
  return (
    <div
      role="status"
      className={clsx(
        "flex flex-wrap items-center gap-x-3 gap-y-1 rounded-xl bg-warn-soft px-4 py-2 text-warn",
        className,
      )}
    >
      <CloudOff aria-hidden className="size-4 shrink-0" />
      <p className="min-w-0 flex-1 basis-60 wrap-anywhere">
        <strong className="font-medium">{problem.title}.</strong> This is how it was {readAt}; what you type is kept.
      </p>
      <Button size="sm" busy={source.isFetching === true} onClick={() => source.refetch()}>
        <RotateCw aria-hidden className="size-4" /> Try again
      </Button>
    </div>
  );
}

type Parts<Data extends readonly unknown[]> = { [Index in keyof Data]: Source<Data[Index]> };

/** Several things that are needed at once, as one: there when all are, failed when one of them is. */
export function together<const Data extends readonly unknown[]>(...sources: Parts<Data>): Source<Data> {
  const all = sources as readonly Source<unknown>[];
  const isThere = all.every((one) => one.data !== undefined);
  return {
    data: isThere ? (all.map((one) => one.data) as unknown as Data) : undefined,
    error: all.find((one) => Boolean(one.error))?.error ?? null,
    refetch: () => Promise.all(all.filter((one) => Boolean(one.error)).map((one) => one.refetch())),
    dataUpdatedAt: Math.min(...all.map((one) => one.dataUpdatedAt ?? Number.POSITIVE_INFINITY)),
    isFetching: all.some((one) => one.isFetching === true),
  };
}
