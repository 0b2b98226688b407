import { useMutation } from "@tanstack/react-query";
import type { FormEvent } from "react";
import type { Me } from "@/client";
import { asProblem } from "@/lib/problem";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";
import { ProblemNote } from "@/ui/problem";
import { createFirstAccount } from "./session";

interface Props {
  /** The one-time token of the link that the server printed, when it listens beyond this machine. */
  token?: string | undefined;
  onDone: (me: Me) => void;
}

/** Creates the owner, the first account of a fresh server. */
export function AccountForm({ token, onDone }: Props) {
  const create = useMutation({ mutationFn: createFirstAccount, onSuccess: onDone });
  const problem = create.error ? asProblem(create.error) : null;

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const account = { name: text("name"), email: text("email"), password: String(form.get("password")) };
    create.mutate(token ? { ...account, token } : account);
  }

  return (
    <form onSubmit={submit} className="grid gap-2">
      <TextField label="Your name" name="name" autoComplete="name" required error={problem?.forField("name")} />
      <TextField
        label="Email"
        name="email"
        type="email"
        autoComplete="username"
        required
        error={problem?.forField("email")}
      />
      <TextField
        label="Password"
        name="password"
        type="password"
        autoComplete="new-password"
        minLength={8}
        required
        hint="At least 8 characters; three or four unrelated words are strong and easy to keep. Stored hashed."
        error={problem?.forField("password")}
      />
      {problem && problem.fields.length === 0 && <ProblemNote error={problem} />}
      <Button type="submit" look="primary" busy={create.isPending} className="mt-2">
        Create account
      </Button>
    </form>
  );
}
