/** How long to wait before coming back: full jitter, so that ten thousand clients do not return as one. */

export const FIRST_MS = 500;
export const LONGEST_MS = 30_000;

/** `attempt` counts from 0; the answer lies between 0 and min(30 s, 0.5 s x 2^attempt). */
export function backoff(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
}
