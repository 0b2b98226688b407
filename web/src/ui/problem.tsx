import { clsx } from "clsx";
import { CircleAlert, LogIn, RotateCw } from "lucide-react";
import { asProblem, SIGNED_OUT } from "@/lib/problem";
import { signedInAgain } from "@/lib/session-gate";
import { Button } from "./button";
import { CopyButton } from "./copy";

interface ProblemProps {
  error: unknown;
  onRetry?: () => void;
  className?: string;
}

/** What failed, why, and what to do next, with the id by which the server's log knows the request. */
export function ProblemNote({ error, onRetry, className }: ProblemProps) {
  const problem = asProblem(error);
  return (
    <div role="alert" className={clsx("rounded-xl border border-bad bg-bad-soft p-4", className)}>
      <p className="flex items-center gap-2 font-semibold text-bad">
        <CircleAlert aria-hidden className="size-4 shrink-0" />
        {problem.title}
      </p>
      <p className="mt-1 wrap-anywhere">{problem.message}</p>
      {problem.fields.length > 0 && (
        <ul className="mt-2 list-disc pl-5 text-sm">
          {problem.fields.map((one) => (
            <li key={`${one.field}${one.reason}`}>
              <span className="font-mono">{one.field}</span> {one.reason}
            </li>
          ))}
        </ul>
      )}
      <div className="mt-3 flex flex-wrap items-center gap-3 empty:hidden">
        {problem.code === SIGNED_OUT && <SignInAgainButton />}
        {onRetry && problem.code !== SIGNED_OUT && (
          <Button size="sm" onClick={onRetry}>
            <RotateCw aria-hidden className="size-4" />
            Try again
          </Button>
        )}
        {problem.requestId && (
          <span className="flex min-w-0 items-center gap-1 text-sm text-muted">
            <span className="truncate">
              request <span className="font-mono">{problem.requestId}</span>
            </span>
            <CopyButton text={problem.requestId} label="Copy the request id" />
          </span>
        )}
      </div>
    </div>
  );
}

/** Brings signing in back over the page, where it had been put off. */
export function SignInAgainButton() {
  return (
    <Button size="sm" onClick={() => void signedInAgain(false)}>
      <LogIn aria-hidden className="size-4" />
      Sign in again
    </Button>
  );
}
