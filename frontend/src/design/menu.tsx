import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button } from "./button.tsx";
import { Icon, type IconName } from "./icons.tsx";

interface Props {
  /** What the button is called. */
  name: string;
  icon?: IconName;
  kind?: "quiet" | "plain";
  class?: string;
  face?: ComponentChildren;
  busy?: boolean;
  /** Gets the function that closes the menu. */
  children: (close: () => void) => ComponentChildren;
}

/** A button that opens a list of things to do. Arrows move, Escape closes, the focus comes back. */
export function Menu({ name, icon, kind = "quiet", class: extra = "", face, busy = false, children }: Props) {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const items = () => [...(root.current?.querySelectorAll<HTMLElement>("[role=menuitem]:not(:disabled)") ?? [])];
  const close = () => {
    setOpen(false);
    root.current?.querySelector("button")?.focus();
  };
  // before the next key is pressed
  useLayoutEffect(() => {
    if (!isOpen) return;
    items()[0]?.focus();
    const away = (e: Event) => !root.current?.contains(e.target as Node) && setOpen(false);
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [isOpen]);
  const move = (e: KeyboardEvent) => {
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[e.key];
    if (to !== undefined) all.at(to % all.length)?.focus();
    else if (e.key === "Escape") close();
    else if (e.key === "Tab") setOpen(false);
    if (to === undefined && e.key !== "Escape") return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div class={`menu-root ${extra}`} ref={root} onKeyDown={isOpen ? move : undefined}>
      <Button kind={kind} small busy={busy} aria-haspopup="menu" aria-expanded={isOpen} aria-label={face ? name : undefined} title={face ? name : undefined} onClick={() => setOpen(!isOpen)}>
        {face ?? <>{icon && <Icon name={icon} />}{name}</>}
      </Button>
      {isOpen && <div class="menu" role="menu" aria-label={name}>{children(close)}</div>}
    </div>
  );
}

export function MenuItem({ onPick, children }: { onPick: () => void; children: ComponentChildren }) {
  return <button type="button" class="menu-item" role="menuitem" tabIndex={-1} onClick={onPick}>{children}</button>;
}
