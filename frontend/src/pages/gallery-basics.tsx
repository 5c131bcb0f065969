/** What the gallery is made of, and its first sections: colours and type. */
import type { ComponentChildren } from "preact";

/** A section of the gallery; `wide` for what needs more room than a button. */
export function Section({ title, wide = false, children }: { title: string; wide?: boolean; children: ComponentChildren }) {
  const id = title.toLowerCase().replace(/[^a-z]+/g, "-");
  return (
    <section aria-labelledby={id} id={`section-${id}`}>
      <h2 id={id}>{title}</h2>
      <div class={wide ? "specimens specimens-wide" : "specimens"}>{children}</div>
    </section>
  );
}

export function Specimen({ name, children }: { name: string; children: ComponentChildren }) {
  return <div class="specimen"><span class="specimen-name">{name}</span>{children}</div>;
}

/** States that only a pointer or a key brings, as classes that this page's styles know. */
export const FORCED = [["rest", ""], ["hover", "is-hover"], ["focus", "is-focus-visible"], ["active", "is-active"]] as const;

const PAIRS = [
  ["text", "surface"], ["text", "surface-raised"], ["text", "surface-sunken"], ["text-muted", "surface"],
  ["accent-text", "surface"], ["on-accent", "accent"], ["text", "accent-soft"], ["on-bad", "bad"],
  ["good", "good-soft"], ["warn", "warn-soft"], ["bad", "bad-soft"], ["on-visitor", "visitor"],
  ["on-operator", "operator"], ["on-note", "note"], ["surface", "text"],
] as const;

export function Colours() {
  return (
    <Section title="Colours by role">
      {PAIRS.map(([front, back]) => (
        <div key={front + back} class="swatch" style={{ color: `var(--${front})`, background: `var(--${back})` }}>{front}<br />on {back}</div>
      ))}
    </Section>
  );
}

export function Type() {
  return (
    <Section title="Type" wide>
      {[32, 24, 20, 16, 14, 13, 12].map((size) => (
        <p key={size} style={{ fontSize: `var(--size-${size})`, lineHeight: size > 16 ? "var(--line-heading)" : "var(--line-text)" }}>{size} Talk with the people on your website</p>
      ))}
      <p class="tabular">Tabular 0123456789, 11:11</p>
      <p>A text with <a href="#type">a link</a> and <span class="muted">something muted</span>.</p>
    </Section>
  );
}
