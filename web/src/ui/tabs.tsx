import { clsx } from "clsx";
import { Tabs as Primitive } from "radix-ui";
import { type ReactNode, useEffect, useRef } from "react";

export interface Tab {
  id: string;
  label: string;
  /** A short mark beside the label, such as "changed", with words for those who cannot see it. */
  mark?: { tone: "accent" | "bad"; label: string } | undefined;
}

/** The tab that an address asks for; the first where it asks for none, or for one that is not there. */
export function tabOf(tabs: readonly Pick<Tab, "id">[], asked: string | undefined): string {
  return (tabs.find((one) => one.id === asked) ?? tabs[0])?.id ?? "";
}

interface TabsProps {
  label: string;
  tabs: readonly Tab[];
  value: string;
  onChange: (id: string) => void;
  /** The content of the open tab. */
  children: ReactNode;
}

/** So much of the tab before the open one stays in sight. */
const PEEK_PX = 40;

/** Views of one thing, one at a time; arrow keys go from tab to tab. Which one is open is the caller's to remember. */
export function Tabs({ label, tabs, value, onChange, children }: TabsProps) {
  const list = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the open tab must be in sight where not all fit
  useEffect(() => {
    const open = list.current?.querySelector<HTMLElement>("[data-state=active]");
    if (open) list.current?.scrollTo({ left: open.offsetLeft - list.current.offsetLeft - PEEK_PX });
  }, [value]);
  return (
    <Primitive.Root value={value} onValueChange={onChange} className="grid min-w-0 gap-6">
      <Primitive.List ref={list} aria-label={label} className="flex gap-1 overflow-x-auto border-b">
        {tabs.map(({ id, label: text, mark }) => (
          <Primitive.Trigger
            key={id}
            value={id}
            className={clsx(
              "flex shrink-0 items-center gap-2 border-b-2 border-transparent px-3 py-2 whitespace-nowrap text-muted hover:text-ink",
              "outline-offset-[-2px] data-[state=active]:border-accent data-[state=active]:font-medium data-[state=active]:text-accent",
            )}
          >
            {text}
            {mark && (
              <span className={clsx("size-2 rounded-full", mark.tone === "bad" ? "bg-bad" : "bg-accent")}>
                <span className="sr-only">{mark.label}</span>
              </span>
            )}
          </Primitive.Trigger>
        ))}
      </Primitive.List>
      <Primitive.Content value={value} className="grid min-w-0 gap-6 outline-offset-4">
        {children}
      </Primitive.Content>
    </Primitive.Root>
  );
}
