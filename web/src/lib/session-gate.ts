/**
 * What happens when the server says that nobody is signed in any more: the page asks for signing in, and every request
 * that was refused waits for it and is sent again. Nothing on the page is given up.
 */

export interface Asking {
  /** Ends the waiting: true sends what waits once more, false lets it fail. */
  answer: (isSignedIn: boolean) => void;
}

let asking: (Asking & { answered: Promise<boolean> }) | null = null;
let isPutOff = false;
let putOffAt = 0;
const listeners = new Set<() => void>();
let isWatched = false;

function say(): void {
  for (const listener of listeners) listener();
}

/**
 * Waits until somebody has signed in again; false when nobody will. Once the person has put it off, only what they do
 * from then on brings the question back: no reading does, and nothing that had been sent (`sentAt`) before.
 */
export function signedInAgain(isReading: boolean, sentAt = performance.now()): Promise<boolean> {
  if (!isWatched || (isPutOff && (isReading || sentAt < putOffAt))) return Promise.resolve(false);
  if (asking) return asking.answered;
  let answer: Asking["answer"] = () => undefined;
  const answered = new Promise<boolean>((resolve) => {
    answer = (isSignedIn) => {
      asking = null;
      isPutOff = !isSignedIn;
      putOffAt = performance.now();
      resolve(isSignedIn);
      say();
    };
  });
  asking = { answer, answered };
  say();
  return answered;
}

export const currentAsking = (): Asking | null => asking;

/** Whether the person put signing in off, so that nothing can be stored until they do. */
export const isSignedOut = (): boolean => isPutOff;

/** Whether nobody is signed in as far as this page knows: signing in is asked for, or was put off. */
export const isSessionOver = (): boolean => isPutOff || asking !== null;

/**
 * Takes note that a request is answered again, as after signing in in another tab. One that was sent before signing in
 * was put off says nothing: the session may have ended while it was on its way.
 */
export function noteSignedIn(sentAt: number): void {
  if (!isPutOff || sentAt < putOffAt) return;
  isPutOff = false;
  say();
}

/** Calls `listener` whenever signing in is asked for, put off, or no more. While nobody listens, nothing is asked. */
export function watchAsking(listener: () => void): () => void {
  listeners.add(listener);
  isWatched = true;
  return () => {
    listeners.delete(listener);
    isWatched = listeners.size > 0;
    if (!isWatched) asking?.answer(false);
    if (!isWatched) isPutOff = false;
  };
}
