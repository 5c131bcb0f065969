import type { ButtonHTMLAttributes, ComponentChildren } from "preact";
import { Icon, type IconName } from "./icons.tsx";

type Own = {
  kind?: "primary" | "quiet" | "plain" | "danger";
  small?: boolean;
  wide?: boolean;
  /** Under way: pressing again does nothing, and it says so. */
  busy?: boolean;
};
type Rest = Omit<ButtonHTMLAttributes, "size" | "icon">;

export function Button({ kind = "quiet", small, wide, busy, children, onClick, class: extra, ...rest }: Own & Rest & { children: ComponentChildren }) {
  const name = ["button", `button-${kind}`, small && "button-small", wide && "button-wide", extra].filter(Boolean).join(" ");
  return (
    <button type="button" {...rest} class={name} aria-disabled={busy ? "true" : undefined} aria-busy={busy ? "true" : undefined} onClick={busy ? (e) => e.preventDefault() : onClick}>
      {busy && <span class="spinner" aria-hidden="true" />}
      {children}
    </button>
  );
}

/** A button that shows only a picture; `name` is what it is called. */
export function IconButton({ icon, name, kind = "plain", small, class: extra, ...rest }: { icon: IconName; name: string } & Pick<Own, "kind" | "small"> & Rest) {
  return (
    <button type="button" {...rest} class={["button button-icon", `button-${kind}`, small && "button-small", extra].filter(Boolean).join(" ")} aria-label={name} title={name}>
      <Icon name={icon} />
    </button>
  );
}
