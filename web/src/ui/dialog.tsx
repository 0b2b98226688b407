import { clsx } from "clsx";
import { X } from "lucide-react";
import { Dialog as Primitive } from "radix-ui";
import type { ReactNode } from "react";
import { IconButton } from "./button";

interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  wide?: boolean;
}

/** A modal dialog: focus stays inside, Escape closes it, focus returns to where it was. */
export function Dialog({ open, onOpenChange, title, description, children, wide }: DialogProps) {
  return (
    <Primitive.Root open={open} onOpenChange={onOpenChange}>
      <Primitive.Portal>
        <Primitive.Overlay className="fixed inset-0 z-40 bg-[oklch(0.2_0.02_225/0.5)]" />
        <Primitive.Content
          {...(description ? {} : { "aria-describedby": undefined })}
          className={clsx(
            "card fixed top-1/2 left-1/2 z-50 max-h-[88dvh] w-[calc(100vw-1.5rem)] -translate-x-1/2 -translate-y-1/2",
            "overflow-y-auto p-5 shadow-xl sm:p-6",
            wide ? "max-w-4xl" : "max-w-lg",
          )}
        >
          <div className="mb-4 grid gap-1 pr-8">
            <Primitive.Title className="text-lg font-semibold">{title}</Primitive.Title>
            {description && <Primitive.Description className="text-muted">{description}</Primitive.Description>}
          </div>
          {children}
          {/* Last, so that focus starts at the first field. */}
          <Primitive.Close asChild>
            <IconButton label="Close" className="absolute top-3.5 right-3.5">
              <X aria-hidden className="size-5" />
            </IconButton>
          </Primitive.Close>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

/** The end of a long dialog: what is wrong and what to do, in sight however far one has scrolled. */
export function DialogFoot({ children }: { children: ReactNode }) {
  return (
    <div className="sticky -bottom-5 z-10 -mx-5 mt-2 -mb-5 grid gap-3 border-t bg-surface px-5 py-4 sm:-bottom-6 sm:-mx-6 sm:-mb-6 sm:px-6">
      {children}
    </div>
  );
}

export function DialogActions({ children }: { children: ReactNode }) {
  return <div className="mt-5 flex flex-wrap justify-end gap-2">{children}</div>;
}
