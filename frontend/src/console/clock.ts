/** What time it is for the screens: it ticks once a second while somebody looks, and at once when they look again. */
import { type Signal, signal } from "@preact/signals";

const TICK_MS = 1000;

export function clock(page: EventTarget & { readonly visibilityState: string } = document): Signal<number> {
  const now = signal(Date.now());
  const tick = () => page.visibilityState === "visible" && (now.value = Date.now());
  setInterval(tick, TICK_MS);
  page.addEventListener("visibilitychange", tick);
  return now;
}
