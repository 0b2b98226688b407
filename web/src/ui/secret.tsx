import { CopyButton } from "./copy";

interface Props {
  label: string;
  text: string;
}

/** A text that is shown this once, ready to be copied. */
export function Secret({ label, text }: Props) {
  return (
    <div className="grid gap-1">
      <p className="text-sm font-medium">{label}</p>
      <div className="flex items-center gap-2 rounded-lg border border-line-strong bg-sunken py-1.5 pr-1.5 pl-3">
        <code className="min-w-0 flex-1 text-sm break-all">{text}</code>
        <CopyButton text={text} label={`Copy: ${label}`} />
      </div>
    </div>
  );
}
