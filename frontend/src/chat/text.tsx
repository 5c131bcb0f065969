import { linked } from "../design/names.ts";

/** Our words with names in them (design/names.ts, `alone`): each name keeps its own direction. */
export function Sentence({ text }: { text: string }) {
  return <>{text.split(/[\u2068\u2069]/).map((part, i) => (i % 2 ? <bdi>{part}</bdi> : part))}</>;
}

/** A stranger's text: text nodes and safe links, never markup (D-7). `leads` tells that a link leaves the chat. */
export function Text({ text, leads }: { text: string; leads?: string }) {
  return (
    <>
      {linked(text).map((p) => (p.href ? <a href={p.href} title={leads} target="_blank" rel="noopener noreferrer nofollow">{p.text}</a> : p.text))}
    </>
  );
}
