import type { ComponentType } from "react";
import { NotThere } from "./root";

/** A page about a thing that has a number; an address with anything else in its place is told in words. */
export function numbered(what: string, useId: () => string, Page: ComponentType): ComponentType {
  return function Numbered() {
    const id = useId();
    if (/^[1-9]\d{0,9}$/.test(id)) return <Page />;
    return (
      <NotThere title={`There is no ${what} “${id.slice(0, 40)}”`}>
        The link may be old or mistyped. You find every {what} in its list.
      </NotThere>
    );
  };
}
