/**
 * Storage that may be refused. A browser can say that it has storage and throw, or accept and forget, so
 * the only proof is to write and read back (never `cookieEnabled`). Where it is refused, memory stands in
 * and `kept` is false: everything works until the page is left, and the person is told.
 */
export class Box {
  readonly kept: boolean;
  private memory = new Map<string, string>();
  private store: Storage | null = null;

  /** `open` may throw; `prefix` keeps two sites on one origin apart. */
  constructor(open: () => Storage, private prefix: string) {
    try {
      const store = open();
      const key = `${prefix}:probe`;
      const proof = String(Math.random());
      store.setItem(key, proof);
      if (store.getItem(key) === proof) this.store = store;
      store.removeItem(key);
    } catch {
      this.store = null;
    }
    this.kept = this.store !== null;
  }

  get(name: string): string | null {
    try {
      if (this.store) return this.store.getItem(`${this.prefix}:${name}`);
    } catch {
      // taken away while the page was open: memory has what was written since
    }
    return this.memory.get(name) ?? null;
  }

  /** Null removes. */
  set(name: string, value: string | null): void {
    if (value === null) this.memory.delete(name);
    else this.memory.set(name, value);
    try {
      if (value === null) this.store?.removeItem(`${this.prefix}:${name}`);
      else this.store?.setItem(`${this.prefix}:${name}`, value);
    } catch {
      // full or taken away: memory keeps it for this page
    }
  }
}

/** Takes away everything under a prefix, before its `Box` is made. Apart, as the loader has no use for it. */
export function clearBox(open: () => Storage, prefix: string): void {
  try {
    const store = open();
    const names = Array.from({ length: store.length }, (_, i) => store.key(i) ?? "");
    for (const name of names) if (name.startsWith(`${prefix}:`)) store.removeItem(name);
  } catch {
    // nothing is kept there
  }
}
