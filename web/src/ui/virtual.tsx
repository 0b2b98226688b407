import { useWindowVirtualizer, type VirtualItem } from "@tanstack/react-virtual";
import { type RefObject, useEffect, useLayoutEffect, useState } from "react";

interface VirtualOptions {
  /** What the rows are drawn in. */
  box: RefObject<HTMLElement | null>;
  count: number;
  /** The height of one row before it was measured, in px. */
  estimate: number;
  keyOf: (index: number) => string | number;
  /** So many rows beyond the edges of the window are drawn too. */
  overscan: number;
  /** Called when the last rows come into sight. */
  onEnd?: (() => void) | undefined;
}

export interface VirtualRows {
  items: VirtualItem[];
  /** The px above the first and below the last drawn row. */
  before: number;
  after: number;
  measure: (element: Element | null) => void;
}

/** Draws only the rows of a long list that the window shows, and asks for more near its end. */
export function useVirtualRows({ box, count, estimate, keyOf, overscan, onEnd }: VirtualOptions): VirtualRows {
  const [top, setTop] = useState(0);
  // At every drawing, because what stands above the rows may have grown; an equal number changes nothing.
  useLayoutEffect(() => {
    if (box.current) setTop(Math.round(box.current.getBoundingClientRect().top + window.scrollY));
  });

  const rows = useWindowVirtualizer({
    count,
    estimateSize: () => estimate,
    overscan,
    scrollMargin: top,
    getItemKey: keyOf,
  });
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (last >= count - 1) onEnd?.();
  }, [last, count, onEnd]);

  const first = items[0];
  return {
    items,
    before: first ? first.start - top : 0,
    after: first ? rows.getTotalSize() - ((items.at(-1)?.end ?? 0) - top) : 0,
    measure: rows.measureElement,
  };
}

/** How many columns of at least `width` px fit into an element, at most `most`. */
export function useColumns(box: RefObject<HTMLElement | null>, width: number, most: number): number {
  const [columns, setColumns] = useState(1);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setColumns(Math.max(1, Math.min(most, Math.floor(element.clientWidth / width))));
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [box, width, most]);
  return columns;
}
