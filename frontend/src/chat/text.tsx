import { linked } from "../design/names.ts";

/** A stranger's text: text nodes and safe links, never markup. */
export function Text({ text }: { text: string }) {
  return (
    <>
      {linked(text).map((p) => (p.href ? <a href={p.href} target="_blank" rel="noopener noreferrer nofollow">{p.text}</a> : p.text))}
    </>
  );
}
