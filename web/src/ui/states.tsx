import { clsx } from "clsx";
import type { ReactNode } from "react";

interface EmptyProps {
  icon: ReactNode;
  title: string;
  children: ReactNode;
  action?: ReactNode;
  /** Whether the title is also the page's. */
  isPage?: boolean;
}

/** Nothing here yet: what this place is for, and the one thing to do. */
export function Empty({ icon, title, children, action, isPage = false }: EmptyProps) {
  const Title = isPage ? "h1" : "h2";
  return (
    <div className="card grid justify-items-center gap-2 px-6 py-14 text-center">
      <div aria-hidden className="mb-1 grid size-12 place-items-center rounded-full bg-accent-soft text-accent">
        {icon}
      </div>
      <Title className="text-lg font-semibold">{title}</Title>
      <div className="max-w-md text-pretty text-muted">{children}</div>
      {action && <div className="mt-4">{action}</div>}
    </div>
  );
}

/** The shape of what is being loaded. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={clsx("animate-pulse rounded-lg bg-line", className)} />;
}

/** Several rows of skeletons; screen readers hear that it is loading. */
export function SkeletonRows({ rows = 5, className = "h-16" }: { rows?: number; className?: string }) {
  return (
    <div role="status" className="grid gap-3">
      <span className="sr-only">Loading</span>
      {Array.from({ length: rows }, (_, row) => row).map((row) => (
        <Skeleton key={row} className={className} />
      ))}
    </div>
  );
}
