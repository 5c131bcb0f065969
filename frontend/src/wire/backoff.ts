/** How long to wait before coming back: full jitter, so that ten thousand clients do not return as one. */

export const LEAST_MS = 100;
export const FIRST_MS = 500;
export const LONGEST_MS = 30_000;
/** A server that leaves says so to all of its sockets: they spread over this span. */
export const RESTART_MS = 3_000;

/** `attempt` counts from 0; the answer lies between 0.1 s and min(`longest`, `first` x 2^attempt). */
export function backoff(attempt: number, random: () => number = Math.random, first: number = FIRST_MS, longest: number = LONGEST_MS): number {
  return Math.max(LEAST_MS, random() * Math.min(longest, first * 2 ** Math.min(attempt, 16)));
}

/** False where coming back with the same credentials is useless: stop, and tell the person. */
export function mayReturn(code: number): boolean {
  return code < 4400 || code > 4499;
}
