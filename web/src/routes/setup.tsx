import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, Navigate } from "@tanstack/react-router";
import { useState } from "react";
import type { Me } from "@/client";
import { AccountForm } from "@/features/workspaces/account-form";
import { authConfigQuery, homeWorkspace, meQuery } from "@/features/workspaces/session";
import { TakeOver } from "@/features/workspaces/take-over";
import { asProblem } from "@/lib/problem";
import { WorkspaceProvider } from "@/lib/workspace";
import { ProblemNote } from "@/ui/problem";
import { SkeletonRows } from "@/ui/states";
import { Entrance } from "./entrance";
import { SetupModel } from "./setup-model";
import { SetupRecipe } from "./setup-recipe";

const route = getRouteApi("/setup");

/** From a fresh server to the first cooked recipe: an account, a model, a recipe. */
export function SetupPage() {
  const { token } = route.useSearch();
  const cache = useQueryClient();
  const config = useQuery(authConfigQuery);
  const needsAccount = config.data?.needs_setup === true;
  const me = useQuery({ ...meQuery, enabled: config.isSuccess && !needsAccount });
  const [isModelChosen, setModelChosen] = useState(false);

  function enter(created: Me) {
    cache.setQueryData(meQuery.queryKey, created);
    cache.setQueryData(authConfigQuery.queryKey, (old) => old && { ...old, needs_setup: false });
  }

  function administer(admin: Me) {
    cache.setQueryData(meQuery.queryKey, admin);
    cache.setQueryData(authConfigQuery.queryKey, (old) => old && { ...old, needs_admin: false });
  }

  if (needsAccount) {
    return (
      <Entrance
        title="Welcome to Automatos"
        lead={<Steps now={1} text="Create the owner’s account. It lives on this server only." />}
      >
        <AccountForm token={token} onDone={enter} />
      </Entrance>
    );
  }
  const error = config.error ?? me.error;
  if (config.data?.needs_admin && asProblem(me.error).status === 401) {
    const next = `/setup${token ? `?${new URLSearchParams({ token })}` : ""}`;
    return <Navigate to="/sign-in" search={{ next }} replace />;
  }
  if (config.data?.needs_admin && me.data) {
    return (
      <Entrance title="Take this server over">
        <TakeOver me={me.data} token={token} onDone={administer} />
      </Entrance>
    );
  }
  if (error) {
    return (
      <Entrance title="Set up Automatos">
        <ProblemNote error={error} onRetry={() => Promise.all([config.refetch(), me.refetch()])} />
      </Entrance>
    );
  }
  const home = me.data && homeWorkspace(me.data);
  if (!home) {
    return (
      <Entrance title="Set up Automatos">
        <SkeletonRows rows={3} />
      </Entrance>
    );
  }
  return (
    <WorkspaceProvider value={home}>
      {isModelChosen ? (
        <Entrance wide title="Cook your first recipe" lead={<Steps now={3} text="You can change all of it later." />}>
          <SetupRecipe>
            <p className="text-center">
              <Link
                to="/w/$workspace/recipes"
                params={{ workspace: home.slug }}
                className="text-muted underline underline-offset-2 hover:text-ink"
              >
                Skip this and look around
              </Link>
            </p>
          </SetupRecipe>
        </Entrance>
      ) : (
        <Entrance
          title="Which model answers?"
          lead={<Steps now={2} text="Agents use it unless you choose another for them." />}
        >
          <SetupModel onDone={() => setModelChosen(true)} />
        </Entrance>
      )}
    </WorkspaceProvider>
  );
}

function Steps({ now, text }: { now: number; text: string }) {
  return (
    <>
      <span className="font-medium text-ink">Step {now} of 3.</span> {text}
    </>
  );
}
