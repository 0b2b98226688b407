import { ExternalLink, Square, SquareCheckBig } from "lucide-react";
import { type ComponentProps, memo, type ReactNode, useId } from "react";
import ReactMarkdown, { type Components, type ExtraProps } from "react-markdown";
import remarkGfm from "remark-gfm";
import { safeAddress } from "./address";
import { blocksOf } from "./blocks";
import { CodeBlock } from "./code-block";
import { levelHeadings } from "./headings";
import "./markdown.css";

interface Props {
  text: string;
  /** Text still arrives: what is complete is not drawn again. */
  isGrowing: boolean;
  /** The level of the heading under which the text stands; its own begin below that. */
  level: number;
}

/** Markdown as a page. Markup in it stays text, links lead to the web only, and nothing is fetched for it. */
export default function Markdown({ text, isGrowing, level }: Props) {
  const blocks = isGrowing ? blocksOf(text) : [text];
  return (
    <div className="markdown">
      {blocks.map((block, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a growing text only changes at its end
        <Block key={place} text={block} level={level} />
      ))}
    </div>
  );
}

const Block = memo(function Block({ text, level }: { text: string; level: number }) {
  const id = useId();
  return (
    <ReactMarkdown
      remarkPlugins={[remarkGfm]}
      rehypePlugins={[[levelHeadings, level]]}
      remarkRehypeOptions={{ clobberPrefix: `${id}-` }}
      urlTransform={(address) => (address.startsWith(`#${id}-`) ? address : (safeAddress(address) ?? ""))}
      components={COMPONENTS}
    >
      {text}
    </ReactMarkdown>
  );
});

function Anchor({ href, children }: { href?: string | undefined; children?: ReactNode }) {
  if (!href) return <span>{children}</span>;
  // A footnote of this text.
  if (href.startsWith("#")) return <a href={href}>{children}</a>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

/** A picture of a text could tell a stranger who reads it and when, so that it is a link and not fetched. */
function Picture({ src, alt }: { src?: unknown; alt?: string | undefined }) {
  const address = typeof src === "string" ? safeAddress(src) : null;
  const label = alt || "picture";
  if (!address) return <span className="text-muted">[{label}]</span>;
  return (
    <Anchor href={address}>
      <ExternalLink aria-hidden className="mr-1 inline size-3.5 align-[-0.1em]" />
      Picture: {label}
    </Anchor>
  );
}

function textOf(node: ReactNode): string {
  if (typeof node === "string" || typeof node === "number") return String(node);
  if (Array.isArray(node)) return node.map(textOf).join("");
  if (node && typeof node === "object" && "props" in node)
    return textOf((node.props as { children?: ReactNode }).children);
  return "";
}

function Preformatted({ node, children }: ComponentProps<"pre"> & ExtraProps) {
  const code = node?.children[0];
  const classes = code?.type === "element" ? code.properties.className : undefined;
  const language = Array.isArray(classes) ? String(classes[0] ?? "").replace("language-", "") : "";
  return <CodeBlock text={textOf(children).replace(/\n$/, "")} language={language} />;
}

/** The box of a task list: it says what it shows and cannot be ticked. */
function TaskBox({ checked }: { checked?: boolean | undefined }) {
  const Icon = checked ? SquareCheckBig : Square;
  return (
    <Icon role="img" aria-label={checked ? "done" : "not done"} className="mr-1.5 inline size-4 align-[-0.15em]" />
  );
}

const COMPONENTS: Components = {
  a: ({ href, children }) => <Anchor href={href}>{children}</Anchor>,
  img: ({ src, alt }) => <Picture src={src} alt={alt} />,
  pre: Preformatted,
  input: ({ checked }) => <TaskBox checked={checked} />,
  p: ({ children }) => <p dir="auto">{children}</p>,
  li: ({ children, className }) => (
    <li dir="auto" className={className}>
      {children}
    </li>
  ),
  table: ({ children }) => (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a part that scrolls must be reachable by keyboard
    <div tabIndex={0} className="overflow-x-auto">
      <table>{children}</table>
    </div>
  ),
  th: ({ children, style }) =>
    textOf(children).trim() === "" ? (
      <td />
    ) : (
      <th dir="auto" style={style}>
        {children}
      </th>
    ),
  td: ({ children, style }) => (
    <td dir="auto" style={style}>
      {children}
    </td>
  ),
};
