import { useMutation } from "@tanstack/react-query";
import type { FormEvent } from "react";
import type { Me } from "@/client";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem";
import { signIn } from "./session";

export function SignInForm({ onDone }: { onDone: (me: Me) => void }) {
  const enter = useMutation({ mutationFn: signIn, onSuccess: onDone });

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    enter.mutate({ email: String(form.get("email")).trim(), password: String(form.get("password")) });
  }

  return (
    <form onSubmit={submit} className="grid gap-2">
      <TextField label="Email" name="email" type="email" autoComplete="username" required />
      <TextField label="Password" name="password" type="password" autoComplete="current-password" required />
      {enter.error && <ProblemNote error={enter.error} />}
      <Button type="submit" look="primary" busy={enter.isPending} className="mt-2">
        Sign in
      </Button>
    </form>
  );
}
