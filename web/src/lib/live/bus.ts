import type { RunEvent } from "@/client";
import { randomId } from "../id";
import type { Connection, LiveEvent } from "./events";
import { LiveStream } from "./stream";
import { Written } from "./written";

type Message =
  | { kind: "event"; event: LiveEvent }
  | { kind: "status"; status: Connection }
  | { kind: "wants"; tab: string; topics: string[] }
  | { kind: "gone"; tab: string }
  | { kind: "who" };

type Listener = (event: LiveEvent) => void;

/**
 * The live events of one workspace in this tab. All tabs of a browser share one connection: the tab that holds the lock
 * leads, opens the stream for what every tab wants and passes the events on; when it closes, another takes over.
 */
export class LiveBus {
  private readonly tab = randomId();
  private readonly channel: BroadcastChannel;
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly statusListeners = new Set<() => void>();
  private readonly wants = new Map<string, string[]>();
  private readonly written = new Written();
  private readonly stopped = new AbortController();
  private release: () => void = () => undefined;
  private stream: LiveStream | null = null;
  private current: Connection = "connecting";

  constructor(private readonly workspace: string) {
    this.channel = new BroadcastChannel(`automatos.live.${workspace}`);
    this.channel.onmessage = (frame: MessageEvent<Message>) => this.heard(frame.data);
    const { signal } = this.stopped;
    addEventListener("pagehide", () => this.say({ kind: "gone", tab: this.tab }), { signal });
    addEventListener("pageshow", () => this.announce(), { signal });
    addEventListener("offline", () => this.heard({ kind: "status", status: "offline" }), { signal });
    addEventListener("online", () => this.stream?.reopen(), { signal });
    this.campaign();
  }

  get status(): Connection {
    return this.current;
  }

  /** Calls `listener` for every event of a run until the returned function is called. */
  subscribe(run: string, listener: (event: RunEvent) => void): () => void {
    return this.listen(`run:${run}`, (event) => {
      if ("seq" in event) listener(event);
    });
  }

  /** Calls `listener` whenever a list may have changed, until the returned function is called. */
  onChange(list: string, listener: () => void): () => void {
    return this.listen(list, listener);
  }

  private listen(topic: string, listener: Listener): () => void {
    const set = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, set.add(listener));
    if (set.size === 1) this.announce();
    return () => {
      set.delete(listener);
      if (set.size > 0) return;
      this.listeners.delete(topic);
      this.announce();
    };
  }

  onStatus(listener: () => void): () => void {
    this.statusListeners.add(listener);
    return () => this.statusListeners.delete(listener);
  }

  close(): void {
    this.say({ kind: "gone", tab: this.tab });
    this.stopped.abort();
    this.stream?.close();
    this.release();
    this.channel.close();
  }

  /** Waits for the lock; without Web Locks (plain http off localhost) each tab leads itself. */
  private campaign(): void {
    if (!navigator.locks) {
      this.lead();
      return;
    }
    const held = () =>
      new Promise<void>((resolve) => {
        this.release = resolve;
        this.lead();
      });
    navigator.locks
      .request(`automatos.live.${this.workspace}`, { signal: this.stopped.signal }, held)
      .catch(() => undefined);
  }

  private lead(): void {
    this.stream = new LiveStream(this.workspace, {
      onEvent: (event) => {
        this.written.take(event);
        this.spread({ kind: "event", event });
      },
      onStatus: (status) => this.spread({ kind: "status", status }),
    });
    this.announce();
    this.say({ kind: "who" });
  }

  private announce(): void {
    const topics = [...this.listeners.keys()];
    this.wants.set(this.tab, topics);
    this.say({ kind: "wants", tab: this.tab, topics });
    this.refollow();
  }

  private refollow(): void {
    this.stream?.follow([...this.wants.values()].flat());
  }

  private spread(message: Message): void {
    this.say(message);
    this.heard(message);
  }

  private say(message: Message): void {
    if (!navigator.locks && message.kind !== "gone") return;
    this.channel.postMessage(message);
  }

  private heard(message: Message): void {
    switch (message.kind) {
      case "event":
        for (const listener of this.listeners.get(message.event.topic) ?? []) listener(message.event);
        return;
      case "status":
        this.current = message.status;
        for (const listener of this.statusListeners) listener();
        return;
      case "wants": {
        const before = this.wants.get(message.tab) ?? [];
        this.wants.set(message.tab, message.topics);
        if (this.stream) this.welcome(message.topics.filter((topic) => !before.includes(topic)));
        return;
      }
      case "gone":
        this.wants.delete(message.tab);
        this.refollow();
        return;
      case "who":
        this.announce();
    }
  }

  /**
   * A tab that just spoke up may not know yet how the connection is. Of a run that another tab follows already it missed
   * the beginning of what is being written.
   */
  private welcome(news: string[]): void {
    this.refollow();
    this.say({ kind: "status", status: this.current });
    for (const event of news.flatMap((topic) => this.written.of(topic))) this.say({ kind: "event", event });
  }
}
