import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import type { Me } from "@/client";
import { authConfigQuery, meQuery } from "@/features/workspaces/session";
import { SignInForm } from "@/features/workspaces/sign-in-form";
import { SkeletonRows } from "@/ui/states";
import { Entrance } from "./entrance";

const ClerkDoor = lazy(() => import("@/features/workspaces/clerk-door"));

const route = getRouteApi("/sign-in");

/** Only addresses of this app: `next` comes from the address bar and may be anybody's. */
function ownAddress(next: string | undefined): string {
  return next?.startsWith("/") && !next.startsWith("//") && !next.includes("\\") ? next : "/";
}

export function SignInPage() {
  const { next, leaving } = route.useSearch();
  const router = useRouter();
  const cache = useQueryClient();
  const config = useQuery(authConfigQuery);

  function enter(me: Me) {
    cache.setQueryData(meQuery.queryKey, me);
    router.history.replace(ownAddress(next));
  }

  if (config.data?.clerk_publishable_key) {
    return (
      <Entrance title="Sign in">
        <Suspense fallback={<SkeletonRows rows={3} />}>
          <ClerkDoor publishableKey={config.data.clerk_publishable_key} isLeaving={leaving === true} onDone={enter} />
        </Suspense>
      </Entrance>
    );
  }
  return (
    <Entrance title="Sign in">
      <SignInForm onDone={enter} />
    </Entrance>
  );
}
