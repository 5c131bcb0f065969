import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { initials, tint } from "./names.ts";

/** `picture` is its uid: it covers the initials once it is there, and where it cannot be had they stay. */
export function Avatar({ name, picture, small, online }: { name: string; picture?: string | undefined; small?: boolean; online?: boolean }) {
  const dot = online === undefined ? "" : online ? " avatar-dot avatar-dot-on" : " avatar-dot";
  return <span class={`avatar avatar-${tint(name)}${small ? " avatar-small" : ""}${dot}`} aria-hidden="true">{initials(name)}{picture && <img src={`/widget/v1/picture/${picture}.png`} alt="" onError={(e) => e.currentTarget.remove()} />}</span>;
}

export function Badge({ tone = "", children }: { tone?: "" | "accent" | "good" | "warn" | "bad"; children: ComponentChildren }) {
  return <span class={`badge${tone && ` badge-${tone}`}`}>{children}</span>;
}

/** One sentence, one action. */
export function EmptyState({ title, drawing, children }: { title: ComponentChildren; drawing?: ComponentChildren; children?: ComponentChildren }) {
  return (
    <div class="empty">
      {drawing}
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Two bubbles, one answering the other. */
export function ChatDrawing() {
  return (
    <svg class="empty-drawing" viewBox="0 0 88 72" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" aria-hidden="true">
      <path d="M12 8h40a8 8 0 0 1 8 8v14a8 8 0 0 1-8 8H28l-10 9v-9h-6a8 8 0 0 1-8-8V16a8 8 0 0 1 8-8z" opacity=".45" />
      <path d="M44 28h30a8 8 0 0 1 8 8v12a8 8 0 0 1-8 8h-5v9l-10-9H44a8 8 0 0 1-8-8V36a8 8 0 0 1 8-8z" fill="var(--surface)" />
      <path d="M47 40h24M47 46h14" stroke-linecap="round" />
    </svg>
  );
}

export function Banner({ tone = "", role, children }: { tone?: "" | "warn" | "bad" | "good"; role?: "status" | "alert"; children: ComponentChildren }) {
  return <div class={`banner${tone && ` banner-${tone}`}`} role={role}>{children}</div>;
}

/** In pixels, or a share of the place. */
export function Skeleton({ width = "100%", height = 16 }: { width?: string | number; height?: number }) {
  const wide = typeof width === "number" ? `${width}px` : width; // Preact puts no unit behind a number
  return <span class="skeleton" style={{ display: "block", width: wide, height: `${height}px` }} aria-hidden="true" />;
}

/** Modal, closed by Escape; focus goes in and comes back by the browser's own rules. */
export function Dialog({ title, onClose, children, actions }: { title: string; onClose: () => void; children?: ComponentChildren; actions: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  // not useEffect: its end comes after the dialog is gone from the page, and nobody gives the focus back then
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={ref} class="dialog" aria-label={title} onCancel={(e) => { e.preventDefault(); onClose(); }}>
      <h2>{title}</h2>
      {children}
      <div class="dialog-actions">{actions}</div>
    </dialog>
  );
}

export function TypingDots() {
  return <span class="typing-dots" aria-hidden="true"><i /><i /><i /></span>;
}
