import { CircleCheck, CircleX } from "lucide-react";
import type { CredentialTest } from "@/client/system";
import { ProblemNote } from "@/ui/problem";

/** What the provider said to a key. */
export function TestVerdict({ test }: { test: CredentialTest }) {
  const isGood = test.status === "passed";
  const Icon = isGood ? CircleCheck : CircleX;
  return (
    <p
      role="status"
      className={`flex items-start gap-2 rounded-lg p-3 ${isGood ? "bg-ok-soft text-ok" : "bg-bad-soft text-bad"}`}
    >
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <span className="min-w-0 wrap-anywhere">{test.message}</span>
    </p>
  );
}

/** Above a form's buttons, where it is seen: how a test went, or why something could not be done. */
export function Outcome({ test, error }: { test: CredentialTest | undefined; error: unknown }) {
  if (!test && !error) return null;
  return (
    <div className="basis-full">{error ? <ProblemNote error={error} /> : test && <TestVerdict test={test} />}</div>
  );
}
