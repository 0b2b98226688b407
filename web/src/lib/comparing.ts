import { STALE, type Storage } from "./edited";
import type { Tagged } from "./http";
import { Problem } from "./problem";

/** A state with a tag of its own content, for what the server gives no ETag. */
export function taggedByContent<T>(data: T): Tagged<T> {
  return { data, etag: JSON.stringify(data) };
}

/** Looks before it stores, where the server itself cannot refuse a save that comes second. */
export function comparing<T>({ send, read }: Storage<T>): Storage<T> {
  return {
    read,
    send: async (change) => {
      const now = await read();
      if (now.etag !== change.etag) throw new Problem(STALE, { code: "stale_edit", title: "Changed meanwhile" }, null);
      return send(change);
    },
  };
}
