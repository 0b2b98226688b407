import { Command } from "cmdk";
import { Search } from "lucide-react";
import { Dialog } from "radix-ui";
import type { ReactNode } from "react";
import { keepOneMarked } from "./one-marked";

interface PaletteProps {
  onClose: () => void;
  /** Learns what is typed. */
  onSearch: (text: string) => void;
  children: ReactNode;
}

/** A list to search and act by keyboard, over the page. */
export function Palette({ onClose, onSearch, children }: PaletteProps) {
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-[oklch(0.2_0.02_225/0.5)]" />
        <Dialog.Content
          aria-describedby={undefined}
          className="card fixed top-[12dvh] left-1/2 z-50 w-[calc(100vw-1.5rem)] max-w-xl -translate-x-1/2 overflow-hidden shadow-xl"
        >
          <Dialog.Title className="sr-only">Search and commands</Dialog.Title>
          <Command ref={keepOneMarked} label="Search and commands" loop>
            <div className="flex items-center gap-3 border-b px-4">
              <Search aria-hidden className="size-4 shrink-0 text-muted" />
              <Command.Input
                onValueChange={onSearch}
                placeholder="Search pages, recipes, agents, runs"
                className="h-12 w-full bg-transparent outline-none placeholder:text-muted"
              />
            </div>
            <Command.List className="max-h-[60dvh] overflow-y-auto p-2">
              <Command.Empty className="p-6 text-center text-muted">Nothing here has that name.</Command.Empty>
              {children}
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

export function PaletteGroup({ heading, children }: { heading: string; children: ReactNode }) {
  return (
    <Command.Group
      heading={heading}
      className="[&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-sm [&_[cmdk-group-heading]]:text-muted"
    >
      {children}
    </Command.Group>
  );
}
