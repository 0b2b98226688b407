import { clsx } from "clsx";
import { CopyButton } from "../copy";
import { diffLines } from "./diff-lines";

const COLORS = { added: "bg-ok-soft text-ok", removed: "bg-bad-soft text-bad", place: "text-accent", same: "" };

/** What a program wrote or reads: even width, scrolls sideways, and can be copied. */
export function CodeBlock({ text, language = "" }: { text: string; language?: string }) {
  return (
    <div className="group/code relative">
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls must be reachable by keyboard
        tabIndex={0}
        className="overflow-x-auto rounded-lg bg-sunken px-4 py-3 pr-11 font-mono text-sm leading-relaxed"
      >
        {language === "diff" ? <Diff text={text} /> : <code>{text}</code>}
      </pre>
      <div className="absolute top-1.5 right-1.5 rounded-md bg-sunken print:hidden">
        <CopyButton text={text} label="Copy the code" />
      </div>
    </div>
  );
}

function Diff({ text }: { text: string }) {
  return (
    <code className="block w-fit min-w-full">
      {diffLines(text).map(({ kind, line }, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name and do not move
        <span key={place} className={clsx("block min-h-[1lh]", COLORS[kind])}>
          {line}
        </span>
      ))}
    </code>
  );
}
