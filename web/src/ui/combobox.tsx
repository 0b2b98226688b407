import { clsx } from "clsx";
import { Command } from "cmdk";
import { Check, ChevronsUpDown, Search } from "lucide-react";
import { Popover } from "radix-ui";
import { type ReactNode, useId, useState } from "react";
import { keepOneMarked } from "./one-marked";

export interface Option {
  value: string;
  label: string;
  /** Said beside the label, such as what it costs. */
  detail?: string | undefined;
}

export interface OptionGroup {
  heading: string;
  options: readonly Option[];
  /** Why there is nothing, or not all. */
  note?: ReactNode;
  /** The way to those that are not loaded yet. */
  more?: { label: string; load: () => void } | undefined;
}

interface Props {
  label: string;
  /** What is chosen, in words. */
  shown: ReactNode;
  value: string;
  groups: readonly OptionGroup[];
  onChange: (value: string) => void;
  hint?: ReactNode;
  error?: string | undefined;
  disabled?: boolean;
  optional?: boolean;
  searchLabel: string;
  /** Learns what is typed. When the owner searches itself, `groups` hold what it found, and all of them are shown. */
  onSearch?: (text: string) => void;
  searchesItself?: boolean;
  /** Whether the owner is still looking for what was typed. */
  isSearching?: boolean;
  onOpen?: (isOpen: boolean) => void;
  /** Something to choose that is made of what was typed. */
  own?: (text: string) => Option[];
}

/** One of many, found by typing. Looks like a select; arrows, Enter and Escape do what they do there. */
export function Combobox(props: Props) {
  const { label, shown, value, onChange, hint, error, disabled = false, onOpen, onSearch } = props;
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  function open(now: boolean) {
    setOpen(now);
    onOpen?.(now);
    if (!now) onSearch?.("");
  }
  return (
    <div className="grid min-w-0 grid-cols-[minmax(0,1fr)] content-start gap-1">
      <span id={`${id}-label`} className="text-sm font-medium">
        {label}
        {props.optional && <span className="ml-1.5 font-normal text-muted">optional</span>}
      </span>
      {/* modal: inside a dialog the list could not be scrolled otherwise. */}
      <Popover.Root open={isOpen} onOpenChange={open} modal>
        <Popover.Trigger asChild>
          <button
            type="button"
            role="combobox"
            aria-haspopup="listbox"
            aria-expanded={isOpen}
            aria-controls={isOpen ? `${id}-list` : undefined}
            aria-labelledby={`${id}-label ${id}-shown`}
            aria-describedby={`${id}-note`}
            aria-invalid={error ? true : undefined}
            disabled={disabled}
            data-value={value}
            className="field-box flex h-10 items-center gap-2 text-left"
          >
            <span id={`${id}-shown`} dir="auto" className="min-w-0 flex-1 truncate">
              {shown}
            </span>
            <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-muted" />
          </button>
        </Popover.Trigger>
        <Popover.Portal>
          <Popover.Content
            id={`${id}-list`}
            aria-labelledby={`${id}-label`}
            align="start"
            sideOffset={4}
            collisionPadding={8}
            className="card z-50 w-(--radix-popover-trigger-width) max-w-[calc(100vw-1rem)] min-w-72 overflow-hidden shadow-xl"
          >
            <List
              {...props}
              onChange={(chosen) => {
                onChange(chosen);
                open(false);
              }}
            />
          </Popover.Content>
        </Popover.Portal>
      </Popover.Root>
      <p id={`${id}-note`} aria-live="polite" className={clsx("min-h-2 text-sm", error ? "text-bad" : "text-muted")}>
        {error ?? hint}
      </p>
    </div>
  );
}

function List({
  value,
  groups,
  onChange,
  searchLabel,
  onSearch,
  searchesItself = false,
  isSearching = false,
  own,
}: Props) {
  const [text, setText] = useState("");
  const typed = text.trim();
  return (
    <Command ref={keepOneMarked} label={searchLabel} loop shouldFilter={!searchesItself}>
      <div className="flex items-center gap-2.5 border-b px-3">
        <Search aria-hidden className="size-4 shrink-0 text-muted" />
        <Command.Input
          value={text}
          onValueChange={(now) => {
            setText(now);
            onSearch?.(now);
          }}
          placeholder={searchLabel}
          className="h-10 w-full bg-transparent outline-none placeholder:text-muted"
        />
      </div>
      <Command.List className="max-h-[min(22rem,50dvh)] overflow-y-auto p-1">
        <Command.Empty className="px-2.5 py-2 text-sm text-muted">
          {isSearching ? "Searching …" : "Nothing in the list has that name."}
        </Command.Empty>
        {groups.map((group) => (
          <Command.Group
            key={group.heading}
            heading={group.heading}
            className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-sm [&_[cmdk-group-heading]]:text-muted"
          >
            {group.options.map((option) => (
              <Item key={option.value} option={option} isChosen={option.value === value} onChange={onChange} />
            ))}
            {group.more && (
              <Command.Item
                value={`more of ${group.heading}`}
                forceMount
                onSelect={group.more.load}
                className="rounded-lg px-2.5 py-1.5 text-accent data-[selected=true]:bg-accent-soft"
              >
                {group.more.label}
              </Command.Item>
            )}
            {group.note && <p className="px-2.5 py-1.5 text-sm text-muted">{group.note}</p>}
          </Command.Group>
        ))}
        {typed &&
          own?.(typed).map((option) => (
            <Item key={option.value} option={option} isChosen={false} onChange={onChange} isAlways />
          ))}
      </Command.List>
    </Command>
  );
}

interface ItemProps {
  option: Option;
  isChosen: boolean;
  onChange: (value: string) => void;
  /** It is shown whatever was typed. */
  isAlways?: boolean;
}

function Item({ option, isChosen, onChange, isAlways = false }: ItemProps) {
  return (
    <Command.Item
      value={option.value || option.label}
      keywords={[option.label]}
      forceMount={isAlways}
      onSelect={() => onChange(option.value)}
      className="flex items-center gap-2 rounded-lg px-2.5 py-1.5 data-[selected=true]:bg-accent-soft"
    >
      <Check aria-hidden className={clsx("size-4 shrink-0 text-accent", !isChosen && "invisible")} />
      <span dir="auto" className="min-w-0 flex-1 wrap-anywhere">
        {option.label}
      </span>
      {option.detail && <span className="text-right text-sm text-muted tabular">{option.detail}</span>}
    </Command.Item>
  );
}
