import { QueryClientProvider } from "@tanstack/react-query";
import { type ErrorComponentProps, Link, Outlet } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { queryClient } from "@/lib/query";
import { buttonClass } from "@/ui/button";
import { ProblemNote } from "@/ui/problem";
import { Empty, SkeletonRows } from "@/ui/states";
import { Toaster } from "@/ui/toaster";

export function Root() {
  return (
    <QueryClientProvider client={queryClient}>
      <Outlet />
      <Toaster />
    </QueryClientProvider>
  );
}

export function Pending() {
  return (
    <div className="mx-auto w-full max-w-6xl px-4 py-8 sm:px-8">
      <SkeletonRows />
    </div>
  );
}

export function Failed({ error, reset }: ErrorComponentProps) {
  return (
    <main className="mx-auto w-full max-w-2xl px-4 py-12">
      <ProblemNote error={error} onRetry={reset} />
    </main>
  );
}

export function Missing() {
  return (
    <main className="mx-auto w-full max-w-2xl px-4 py-12">
      <Empty
        icon={<Compass className="size-6" />}
        isPage
        title="There is no page at this address"
        action={
          <Link to="/" className={buttonClass({ look: "primary" })}>
            Go to your recipes
          </Link>
        }
      >
        The link may be old, or it leads to a workspace you are not in.
      </Empty>
    </main>
  );
}
