import { clsx } from "clsx";
import { Check } from "lucide-react";
import { DropdownMenu as Primitive } from "radix-ui";
import type { ReactNode } from "react";

interface MenuProps {
  trigger: ReactNode;
  children: ReactNode;
  align?: "start" | "end";
  side?: "top" | "bottom";
}

export function Menu({ trigger, children, align = "end", side = "bottom" }: MenuProps) {
  return (
    <Primitive.Root modal={false}>
      <Primitive.Trigger asChild>{trigger}</Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Content
          align={align}
          side={side}
          sideOffset={6}
          collisionPadding={8}
          className="card z-50 max-h-[70dvh] min-w-48 max-w-[calc(100vw-1rem)] overflow-y-auto p-1 shadow-lg"
        >
          {children}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

const ITEM =
  "flex items-center gap-2.5 rounded-lg px-2.5 py-1.5 outline-none data-highlighted:bg-accent-soft data-disabled:opacity-50";

interface ItemProps {
  onSelect: () => void;
  children: ReactNode;
  danger?: boolean;
  disabled?: boolean;
}

export function MenuItem({ onSelect, children, danger, disabled }: ItemProps) {
  return (
    <Primitive.Item
      onSelect={onSelect}
      {...(disabled ? { disabled } : {})}
      className={clsx(ITEM, danger && "text-bad")}
    >
      {children}
    </Primitive.Item>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: { value: string; label: string; icon?: ReactNode }[];
  onChange: (value: string) => void;
}

/** One choice of several, the chosen one marked. */
export function MenuChoice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <Primitive.RadioGroup value={value} onValueChange={onChange} aria-label={label}>
      <Primitive.Label className="px-2.5 pt-1.5 pb-1 text-sm text-muted">{label}</Primitive.Label>
      {options.map((option) => (
        <Primitive.RadioItem key={option.value} value={option.value} className={ITEM}>
          {option.icon}
          <span className="flex-1 truncate">{option.label}</span>
          <Primitive.ItemIndicator>
            <Check aria-hidden className="size-4" />
          </Primitive.ItemIndicator>
        </Primitive.RadioItem>
      ))}
    </Primitive.RadioGroup>
  );
}

export function MenuLine() {
  return <Primitive.Separator className="my-1 h-px bg-line" />;
}
