import { answerOf, type RequestOptions } from "./http";

export interface StreamedEvent {
  type: string;
  data: unknown;
}

/** One event of a text/event-stream block; null for a block that carries no data, such as a keep-alive. */
export function eventOf(block: string): StreamedEvent | null {
  let type = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) type = line.slice(6).trim();
    if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
  }
  return data.length > 0 ? { type, data: JSON.parse(data.join("\n")) } : null;
}

/** The events of a stream of text, however it is cut into pieces. */
export async function* eventsOf(pieces: AsyncIterable<string>): AsyncGenerator<StreamedEvent> {
  let rest = "";
  for await (const piece of pieces) {
    const blocks = (rest + piece).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = eventOf(block);
      if (event) yield event;
    }
  }
}

async function* textOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    await reader.cancel();
  }
}

/** Sends a POST whose answer is a stream of events; ends when the server does or the signal says so. */
export async function* streamPost(path: string, options: RequestOptions): AsyncGenerator<StreamedEvent> {
  const response = await answerOf("POST", path, { ...options, headers: { Accept: "text/event-stream" } });
  if (response.body) yield* eventsOf(textOf(response.body));
}
