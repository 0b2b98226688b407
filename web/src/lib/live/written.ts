import type { LiveEvent, RunEventOf } from "./events";

type Text = RunEventOf<"step.text">;

/** What is being written in the runs that are followed: a tab that joins them was not there at its beginning. */
export class Written {
  private readonly texts = new Map<string, Map<number, Text>>();

  /** Takes note of an event as it passes. */
  take(event: LiveEvent): void {
    if (!("seq" in event)) return;
    if (event.type.startsWith("execution.")) {
      this.texts.delete(event.topic);
      return;
    }
    if (!("order" in event.data)) return;
    const ofRun = this.texts.get(event.topic) ?? new Map<number, Text>();
    if (event.type === "step.text") ofRun.set(event.data.order, event);
    else if (event.type === "step.delta") ofRun.set(event.data.order, joined(ofRun.get(event.data.order), event));
    else ofRun.delete(event.data.order);
    this.texts.set(event.topic, ofRun);
  }

  /** The answers of a run that are being written, as far as they go. */
  of(topic: string): Text[] {
    return [...(this.texts.get(topic)?.values() ?? [])];
  }
}

function joined(before: Text | undefined, piece: RunEventOf<"step.delta">): Text {
  const { text, reasoning, ...rest } = piece.data;
  const known = before?.data.turn === piece.data.turn ? before.data : undefined;
  return {
    ...piece,
    type: "step.text",
    data: {
      ...rest,
      text: (known?.text ?? "") + text,
      reasoning: (known?.reasoning ?? "") + (reasoning ?? ""),
    },
  };
}
