/** One event of a text/event-stream block; null for a block that carries no data, such as a keep-alive. */
function eventOf<Event>(block: string): Event | null {
  let type = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) type = line.slice(6).trim();
    if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
  }
  return data.length > 0 ? JSON.parse(`{"type":${JSON.stringify(type)},"data":${data.join("\n")}}`) : null;
}

/** The events of a stream of text, `{ type, data }` each, however it is cut into pieces. */
export async function* eventsOf<Event>(pieces: AsyncIterable<string>): AsyncGenerator<Event> {
  let rest = "";
  for await (const piece of pieces) {
    const blocks = (rest + piece).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = eventOf<Event>(block);
      if (event) yield event;
    }
  }
}

/** The text of an answer as it comes; whoever stops reading ends the request. */
export async function* textOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  if (!body) return;
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
