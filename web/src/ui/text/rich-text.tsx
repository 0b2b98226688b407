import { clsx } from "clsx";
import { lazy, Suspense, useState } from "react";
import { formatNumber } from "@/lib/format";
import { useIsPrinting } from "@/lib/printing";
import { Button } from "../button";
import { beginningOf } from "./blocks";
import { CodeBlock } from "./code-block";
import { kindOfText, prettyJson } from "./kind";

const Markdown = lazy(() => import("./markdown"));

/** Letters beyond which a text is folded. */
const MOST = 8_000;

interface Props {
  text: string;
  /** Text still arrives. */
  isGrowing?: boolean;
  /** Shows the letters as they were sent. */
  isRaw?: boolean;
  /** The level of the heading under which the text stands. */
  level?: number;
}

/** A text of a model or a person as it is meant: Markdown as a page, JSON and diffs as code, long ones folded. */
export function RichText({ text, isGrowing = false, isRaw = false, level = 3 }: Props) {
  const [isUnfolded, setUnfolded] = useState(false);
  const isPrinting = useIsPrinting();
  const beginning = isGrowing || isUnfolded || isPrinting ? null : beginningOf(text, MOST);
  return (
    <div className="grid min-w-0 gap-3">
      <Shown text={beginning ?? text} whole={text} isGrowing={isGrowing} isRaw={isRaw} level={level} />
      {beginning !== null && (
        <Button size="sm" className="justify-self-start" onClick={() => setUnfolded(true)}>
          Show all {formatNumber(text.length)} characters
        </Button>
      )}
    </div>
  );
}

interface ShownProps extends Required<Props> {
  /** All of the text, by which its kind is known. */
  whole: string;
}

function Shown({ text, whole, isGrowing, isRaw, level }: ShownProps) {
  if (isRaw) return <PlainText text={text} isMono />;
  const kind = isGrowing ? "markdown" : kindOfText(whole);
  if (kind === "json") return <CodeBlock text={text === whole ? prettyJson(text) : text} language="json" />;
  if (kind === "diff") return <CodeBlock text={text} language="diff" />;
  return (
    <Suspense fallback={<PlainText text={text} />}>
      <Markdown text={text} isGrowing={isGrowing} level={level} />
    </Suspense>
  );
}

/** A text letter by letter, with its lines. */
export function PlainText({ text, isMono = false }: { text: string; isMono?: boolean }) {
  return (
    <div
      dir="auto"
      className={clsx("leading-relaxed wrap-anywhere whitespace-pre-wrap", isMono && "font-mono text-sm")}
    >
      {text}
    </div>
  );
}
