import type { RunEvent } from "@/client";
import { cook, isFact } from "./kitchen";
import { EMPTY_KITCHEN, type KitchenState } from "./kitchen-state";

/** Reads the stored log after `seq`, oldest first; an empty page is the end. */
export type ReadLog = (after: number) => Promise<RunEvent[]>;

/**
 * Follows one run without gap or repeat, however events arrive: the stored log first, live events as they come. A live
 * event that leaves a hole makes it read the log over the hole; one that was seen is dropped. What tells of an answer that
 * is being written is no part of the log and comes in its order.
 */
export class RunFeed {
  private current: KitchenState = EMPTY_KITCHEN;
  private readonly listeners = new Set<() => void>();
  private waiting: RunEvent[] = [];
  private writing: RunEvent[] = [];
  private isReading = false;
  private failure: unknown = null;

  constructor(private readonly readLog: ReadLog) {}

  readonly snapshot = (): KitchenState => this.current;

  readonly error = (): unknown => this.failure;

  readonly listen = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Takes one live event. */
  receive(event: RunEvent): void {
    if (!isFact(event)) {
      if (this.isReading) this.writing.push(event);
      else this.apply([event]);
      return;
    }
    if (event.seq <= this.current.lastSeq) return;
    if (!this.isReading && event.seq === this.current.lastSeq + 1) {
      this.apply([event]);
      return;
    }
    this.waiting.push(event);
    void this.read();
  }

  /** Reads the stored log up to its end, then what came live meanwhile. */
  async read(): Promise<void> {
    if (this.isReading) return;
    this.isReading = true;
    this.failure = null;
    const before = this.current.lastSeq;
    try {
      for (let page = await this.readLog(this.current.lastSeq); page.length > 0; ) {
        this.apply(page);
        page = await this.readLog(this.current.lastSeq);
      }
    } catch (error) {
      this.failure = error;
    } finally {
      this.isReading = false;
      this.drain(before);
    }
  }

  /** Applies what waited; reads again over a new hole, but not forever over one that the log does not fill. */
  private drain(before: number): void {
    const ordered = this.waiting.sort((one, other) => one.seq - other.seq);
    this.waiting = [];
    const ready: RunEvent[] = [];
    let last = this.current.lastSeq;
    for (const event of ordered) {
      if (event.seq <= last) continue;
      if (event.seq === last + 1) {
        ready.push(event);
        last = event.seq;
      } else this.waiting.push(event);
    }
    this.apply([...ready, ...this.writing.splice(0)]);
    if (this.waiting.length > 0 && this.current.lastSeq > before && !this.failure) void this.read();
  }

  private apply(events: RunEvent[]): void {
    this.current = events.reduce(cook, this.current);
    for (const listener of this.listeners) listener();
  }
}
