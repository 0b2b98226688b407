import { clsx } from "clsx";
import { X } from "lucide-react";
import { Dialog as Primitive } from "radix-ui";
import type { ReactNode } from "react";
import { IconButton } from "./button";

interface SheetProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  /** What stays in sight at the bottom while the rest scrolls: the actions. */
  footer?: ReactNode;
}

/** A modal sheet from the side, the whole screen on phones: focus stays inside, Escape closes it, focus returns. */
export function Sheet({ open, onOpenChange, title, description, children, footer }: SheetProps) {
  return (
    <Primitive.Root open={open} onOpenChange={onOpenChange}>
      <Primitive.Portal>
        <Primitive.Overlay className="fixed inset-0 z-40 bg-[oklch(0.2_0.02_225/0.5)]" />
        <Primitive.Content
          {...(description ? {} : { "aria-describedby": undefined })}
          className={clsx(
            "fixed inset-y-0 right-0 z-50 flex w-full flex-col bg-surface shadow-xl outline-none sm:max-w-xl sm:border-l",
            "animate-sheet",
          )}
        >
          <div className="grid gap-1 border-b px-5 py-4 pr-14 sm:px-6 sm:pr-14">
            <Primitive.Title className="text-lg font-semibold wrap-anywhere">{title}</Primitive.Title>
            {description && <Primitive.Description className="text-muted">{description}</Primitive.Description>}
          </div>
          <div className="min-h-0 flex-1 overflow-y-auto p-5 sm:p-6">{children}</div>
          {footer && <div className="flex flex-wrap justify-end gap-2 border-t px-5 py-4 sm:px-6">{footer}</div>}
          {/* Last, so that focus starts at the first field. */}
          <Primitive.Close asChild>
            <IconButton label="Close" className="absolute top-3 right-3">
              <X aria-hidden className="size-5" />
            </IconButton>
          </Primitive.Close>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
