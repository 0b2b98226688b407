import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import type { Me } from "@/client";
import { ProviderDoor } from "@/features/workspaces/provider-door";
import { authConfigQuery, meQuery } from "@/features/workspaces/session";
import { SignInForm } from "@/features/workspaces/sign-in-form";
import { underBase } from "@/lib/own-path";
import { SkeletonRows } from "@/ui/states";
import { Entrance } from "./entrance";

const ClerkDoor = lazy(() => import("@/features/workspaces/clerk-door"));

const route = getRouteApi("/sign-in");

/** Only addresses of this app: `next` comes from the address bar and may be anybody's. */
function ownAddress(next: string | undefined): string {
  return next?.startsWith("/") && !next.startsWith("//") && !next.includes("\\") ? next : "/";
}

export function SignInPage() {
  const { next, leaving, problem } = route.useSearch();
  const router = useRouter();
  const cache = useQueryClient();
  const config = useQuery(authConfigQuery);

  function enter(me: Me) {
    cache.setQueryData(meQuery.queryKey, me);
    router.history.replace(underBase(ownAddress(next)));
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
  if (config.data?.mode === "oidc") {
    return (
      <Entrance title="Sign in">
        <ProviderDoor name={config.data.provider ?? "single sign-on"} next={ownAddress(next)} problem={problem} />
        {config.data.passwords && (
          <details className="mt-6">
            <summary className="cursor-pointer text-muted">With a password of this server</summary>
            <div className="mt-3">
              <SignInForm onDone={enter} />
            </div>
          </details>
        )}
      </Entrance>
    );
  }
  return (
    <Entrance title="Sign in">
      <SignInForm onDone={enter} />
    </Entrance>
  );
}
