import { RadioGroup } from "radix-ui";

interface Props {
  label: string;
  value: string;
  options: readonly { value: string; title: string; text: string }[];
  onChange: (value: string) => void;
}

/** One of a few ways to go on, one to a line, each with a sentence; arrow keys choose. */
export function RadioList({ label, value, options, onChange }: Props) {
  return (
    <RadioGroup.Root
      aria-label={label}
      value={value}
      onValueChange={onChange}
      className="divide-y overflow-hidden rounded-xl border border-line-strong"
    >
      {options.map((option) => (
        <RadioGroup.Item
          key={option.value}
          value={option.value}
          className="group flex w-full items-start gap-3 px-4 py-2.5 text-left outline-offset-[-2px] hover:bg-sunken data-[state=checked]:bg-accent-soft"
        >
          <span
            aria-hidden
            className="mt-1 grid size-4 shrink-0 place-items-center rounded-full border border-line-strong bg-surface group-data-[state=checked]:border-accent"
          >
            <RadioGroup.Indicator className="size-2 rounded-full bg-accent" />
          </span>
          <span className="min-w-0">
            <span className="font-medium">{option.title}</span>
            <span className="block text-sm text-muted">{option.text}</span>
          </span>
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}
