import { lazy, Suspense } from "react";

const Primitive = lazy(() => import("sonner").then((module) => ({ default: module.Toaster })));

/** How long a failure stays on screen: long enough to be read and acted upon. */
const FAILURE_MS = 12_000;

/** Short news that need no answer; loaded when there is any. */
export const toast = {
  success: (text: string) => void import("sonner").then((module) => module.toast.success(text)),
  error: (text: string) => void import("sonner").then((module) => module.toast.error(text, { duration: FAILURE_MS })),
};

export function Toaster() {
  return (
    <Suspense fallback={null}>
      <Primitive
        // Beside the rail: at the right they would lie over the actions of a sheet.
        position="bottom-left"
        offset={{ left: "17rem", bottom: "1.5rem" }}
        mobileOffset={{ bottom: "5rem" }}
        toastOptions={{
          unstyled: true,
          classNames: { toast: "card flex w-full items-center gap-3 p-4 text-ink shadow-lg" },
        }}
      />
    </Suspense>
  );
}
