import { type ReactNode, useState } from "react";
import { Segments } from "../choice";
import { CopyButton } from "../copy";
import { kindOfText } from "./kind";
import { RichText } from "./rich-text";

interface Props {
  /** What stands above the text; a heading of the level that is given. */
  title: ReactNode;
  text: string;
  copyLabel: string;
  /** What else can be done with it. */
  actions?: ReactNode;
  level?: number;
}

/** A finished text with what one does to it: read it as a page or as it was written, copy it. */
export function TextCard({ title, text, copyLabel, actions, level = 3 }: Props) {
  const [isRaw, setRaw] = useState(false);
  const isPlain = kindOfText(text) !== "markdown";
  return (
    <div className="grid min-w-0 gap-3">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        {title}
        <div className="flex items-center gap-2 print:hidden">
          <Segments
            small
            label="How to show it"
            options={[
              { value: "page", label: isPlain ? "Neat" : "Page" },
              { value: "raw", label: "Raw" },
            ]}
            value={isRaw ? "raw" : "page"}
            onChange={(value) => setRaw(value === "raw")}
          />
          {actions}
          <CopyButton text={text} label={copyLabel} />
        </div>
      </div>
      {text ? <RichText text={text} isRaw={isRaw} level={level} /> : <p className="text-muted">It is empty.</p>}
    </div>
  );
}
