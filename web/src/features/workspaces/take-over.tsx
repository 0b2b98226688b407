import { useMutation } from "@tanstack/react-query";
import type { Me } from "@/client";
import { Button } from "@/ui/button";
import { ProblemNote } from "@/ui/problem";
import { takeOver } from "./session";

/** For the first person of a server whose people come from an identity provider: they administer it from now on. */
export function TakeOver({ me, token, onDone }: { me: Me; token: string | undefined; onDone: (me: Me) => void }) {
  const take = useMutation({ mutationFn: () => takeOver(token), onSuccess: onDone });
  const name = me.user?.name || me.user?.email || "this account";
  return (
    <div className="grid gap-4">
      <p className="text-pretty">
        Nobody administers this server yet. As system admin you see its statistics, change its settings and own the
        workspace of the sample recipe.
      </p>
      {take.error && <ProblemNote error={take.error} />}
      <Button look="primary" busy={take.isPending} onClick={() => take.mutate()}>
        Administer it as {name}
      </Button>
    </div>
  );
}
