interface Element {
  type: string;
  tagName?: string;
  properties?: Record<string, unknown>;
  children?: Element[];
}

/**
 * Puts a text's headings below the page's own and lets none skip a level, whatever level their author wrote; how big
 * they look stays as written.
 */
export function levelHeadings(under: number) {
  return (root: Element) => {
    let last = under;
    const visit = (element: Element) => {
      const written = /^h([1-6])$/.exec(element.tagName ?? "")?.[1];
      if (written) {
        last = Math.min(under + Number(written), last + 1, 6);
        element.tagName = `h${last}`;
        // Only the heading that this wiring itself adds, of the footnotes, has a class.
        element.properties = { className: element.properties?.className, "data-size": written, dir: "auto" };
      }
      for (const child of element.children ?? []) visit(child);
    };
    visit(root);
  };
}
