/** For what has a Preact of its own (tools.tsx): a signal's value, and another drawing when it changes. */
import type { ReadonlySignal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

export function useLive<T>(signal: ReadonlySignal<T>): T {
  const [value, set] = useState<T>(() => signal.peek());
  useEffect(() => signal.subscribe((now) => set(() => now)), [signal]);
  return value;
}
