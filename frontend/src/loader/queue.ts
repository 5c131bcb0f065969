/**
 * The page's side of the API: `ChatLead.push([command, ...args])`, before and after the load, and events.
 * Whatever a page pushes, nothing is thrown back into it.
 */
export type Listener = (detail: Record<string, unknown>) => void;

export class Events {
  private listeners = new Map<string, Set<Listener>>();
  private ready = false;

  on(name: unknown, listener: unknown): void {
    if (typeof name !== "string" || typeof listener !== "function") return;
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set.add(listener as Listener));
    if (name === "ready" && this.ready) run(listener as Listener, {});
  }

  off(name: unknown, listener: unknown): void {
    this.listeners.get(name as string)?.delete(listener as Listener);
  }

  emit(name: string, detail: Record<string, unknown> = {}): void {
    if (name === "ready") this.ready = true;
    for (const listener of [...(this.listeners.get(name) ?? [])]) run(listener, { ...detail });
  }
}

function run(listener: Listener, detail: Record<string, unknown>): void {
  try {
    listener(detail);
  } catch (error) {
    console.error(error); // the page's own fault: shown to its author, and nothing else is disturbed
  }
}

/** Takes over what was pushed so far, in order, and everything that comes. */
export function install(page: { ChatLead?: unknown }, commands: Record<string, (...args: unknown[]) => void>): void {
  const waiting = Array.isArray(page.ChatLead) ? (page.ChatLead as unknown[]) : [];
  const push = (...calls: unknown[]): number => {
    for (const call of calls) {
      if (!Array.isArray(call)) continue;
      const [name, ...args] = call as unknown[];
      try {
        if (Object.hasOwn(commands, name as string)) commands[name as string]!(...args);
      } catch (error) {
        console.error(error);
      }
    }
    return 0;
  };
  page.ChatLead = { v: 1, push };
  push(...waiting);
}

/** Whether a loader runs on this page already. */
export function installed(page: { ChatLead?: unknown }): boolean {
  return (page.ChatLead as { v?: number } | undefined)?.v === 1;
}
