import { addressOf } from "../http";
import { type Connection, type LiveEvent, RUN_EVENT_TYPES } from "./events";

const HINT_TYPE = "changed";
const LONGEST_WAIT_MS = 15_000;

export interface StreamHandlers {
  onEvent: (event: LiveEvent) => void;
  onStatus: (status: Connection) => void;
}

/**
 * One EventSource for many topics. It resumes after the last cursor it saw, also when the topics change or when the
 * server answered with an error, where the browser itself would give up.
 */
export class LiveStream {
  private source: EventSource | null = null;
  private topics: string[] = [];
  private cursor: string | null = null;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly workspace: string,
    private readonly handlers: StreamHandlers,
  ) {}

  /** Follows exactly these topics from now on. */
  follow(topics: Iterable<string>): void {
    const wanted = [...new Set(topics)].sort();
    if (wanted.join() === this.topics.join() && this.source) return;
    this.topics = wanted;
    this.open();
  }

  close(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  /** Connects again at once, for instance when the network is back. */
  reopen(): void {
    if (this.topics.length) this.open();
  }

  private open(): void {
    this.close();
    if (!this.topics.length) return;
    const query = { topics: this.topics.join(","), cursor: this.cursor };
    const source = new EventSource(addressOf("/api/events", query, this.workspace));
    this.source = source;
    source.onopen = () => {
      this.failures = 0;
      this.handlers.onStatus("live");
    };
    source.onerror = () => this.failed(source);
    for (const type of [...RUN_EVENT_TYPES, HINT_TYPE]) {
      source.addEventListener(type, (frame) => this.received(frame));
    }
  }

  private received(frame: MessageEvent<string>): void {
    if (frame.lastEventId) this.cursor = frame.lastEventId;
    const event: LiveEvent = JSON.parse(frame.data);
    this.handlers.onEvent(event);
  }

  private failed(source: EventSource): void {
    if (source !== this.source) return;
    this.handlers.onStatus(navigator.onLine ? "retrying" : "offline");
    if (source.readyState !== EventSource.CLOSED) return;
    this.failures += 1;
    const wait = Math.min(LONGEST_WAIT_MS, 500 * 2 ** Math.min(this.failures, 5));
    this.timer = setTimeout(() => this.open(), wait * (0.75 + Math.random() / 2));
  }
}
