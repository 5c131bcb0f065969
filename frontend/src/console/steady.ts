/**
 * What keeps a screen from being drawn again for nothing: hundreds of times a minute something is told of one
 * chat of many, and once a second the clock goes on.
 */
import { computed, type ReadonlySignal } from "@preact/signals";
import { Component, type ComponentChild } from "preact";
import { useMemo } from "preact/hooks";

/** A list that stays the same object as long as its members do. */
export function steady<T>(read: () => readonly T[]): ReadonlySignal<readonly T[]> {
  let last: readonly T[] = [];
  return computed(() => {
    const next = read();
    if (next.length !== last.length || next.some((each, i) => each !== last[i])) last = next;
    return last;
  });
}

/** For a component: what `read` finds in signals, `of` being the only other thing that it reads. Drawn again only when that changes. */
export function useFound<T>(of: unknown, read: () => T): T {
  return useMemo(() => computed(read), [of]).value;
}

/** A component that is drawn again only where its properties differ, or those of the objects among them; functions do not count. */
export function rarely<P extends object>(draw: (props: P) => ComponentChild): new (props: P) => Component<P> {
  return class extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return !alike(this.props, next, 1);
    }
    override render(props: P): ComponentChild {
      return draw(props);
    }
  };
}

function alike(a: object, b: object, depth: number): boolean {
  const one = a as Record<string, unknown>;
  const other = b as Record<string, unknown>;
  const isSame = (x: unknown, y: unknown) => x === y || typeof y === "function" || (depth > 0 && isPlain(x) && isPlain(y) && alike(x, y, depth - 1));
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => name in other && isSame(one[name], other[name]));
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
