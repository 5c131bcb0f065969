/**
 * A value that is watched. The frame is loaded over bad lines within 35 KB, and of a library of signals it
 * would use no more than this; the console, which is loaded once a day, has the library.
 */
import { useLayoutEffect, useState } from "preact/hooks";

export class Value<T> {
  private watchers = new Set<() => void>();

  constructor(private now: T) {}

  get value(): T {
    return this.now;
  }

  set value(next: T) {
    if (next === this.now) return;
    this.now = next;
    for (const watcher of [...this.watchers]) watcher();
  }

  /** Called at each change from now on, until the function that is given back is called. */
  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }
}

/** The value, and the component is drawn anew when it changes: once for all that change in one turn. */
export function useValue<T>(watched: Value<T>): T {
  const [drawn, draw] = useState({ value: watched.value });
  useLayoutEffect(() => {
    const look = () => draw({ value: watched.value });
    if (drawn.value !== watched.value) look(); // it changed between the drawing and now
    return watched.watch(look);
  }, [watched]);
  return watched.value;
}
