/** The list of prepared replies over the message, while a slash asks for one. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { CannedReplyView } from "../wire/protocol.ts";
import { doubledAt, type Facts, factsOf, filled, matching, type Slash, slashAt } from "./canned.ts";
import type { Desk } from "./desk.ts";
import { composes, isBare } from "./keys.ts";
import { say } from "./strings.ts";
import type { Chat } from "./state.ts";

export const REPLIES_ID = "prepared-replies";
/** What opens the list of them: the last in the list while nothing is looked for. */
const MANAGE = "manage";

type Choice = CannedReplyView | typeof MANAGE;

export interface Asked {
  readonly choices: readonly Choice[];
  readonly facts: Facts;
  readonly at: number;
  readonly choose: (at: number) => void;
  /** The text or the caret has moved. */
  readonly look: (el: HTMLTextAreaElement) => void;
  /** The text was changed by typing; a doubled slash comes back as one. */
  readonly typed: (el: HTMLTextAreaElement) => void;
  /** True where the key was for the list. */
  readonly key: (e: KeyboardEvent) => boolean;
  readonly take: (at: number) => void;
  readonly close: () => void;
}

/** `write` replaces the whole text and puts the caret. */
export function useReplies(desk: Desk, chat: Chat, write: (text: string, caret: number) => void, area: { current: HTMLTextAreaElement | null }): Asked {
  const [slash, setSlash] = useState<Slash | null>(null);
  const [at, choose] = useState(0);
  const literal = useRef(-1); // this slash asks for nothing any more
  const canned = desk.canned.value;
  const facts = factsOf(chat, desk.me.value?.name ?? "");
  const choices: Choice[] = !slash || !canned ? [] : [...matching(canned, slash.query), ...(slash.query ? [] : [MANAGE as Choice])];

  const look = (el: HTMLTextAreaElement) => {
    const { value, selectionStart, selectionEnd } = el;
    if (value[literal.current] !== "/") literal.current = -1;
    const found = canned && selectionStart === selectionEnd ? slashAt(value, selectionStart) : null;
    const next = found && found.from !== literal.current ? found : null;
    if (next?.query !== slash?.query || next?.from !== slash?.from) choose(0);
    setSlash(next);
  };
  const typed = (el: HTMLTextAreaElement) => {
    const double = canned ? doubledAt(el.value, el.selectionStart) : -1;
    if (double >= 0 && double !== literal.current) {
      literal.current = double;
      write(el.value.slice(0, double) + el.value.slice(double + 1), double + 1);
      setSlash(null);
    } else look(el);
  };
  const close = () => {
    if (slash) literal.current = slash.from;
    setSlash(null);
  };
  const take = (index: number) => {
    const choice = choices[index];
    const el = area.current;
    if (!choice || !slash || !el) return;
    const end = slash.from + 1 + slash.query.length;
    setSlash(null);
    if (choice === MANAGE) {
      write(el.value.slice(0, slash.from) + el.value.slice(end), slash.from);
      return void desk.tools.open("replies");
    }
    const text = filled(choice.text, facts);
    write(el.value.slice(0, slash.from) + text + el.value.slice(end), slash.from + text.length);
  };
  const key = (e: KeyboardEvent): boolean => {
    if (choices.length === 0 || composes(e) || !isBare(e) || e.shiftKey) return false;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[e.key];
    if (to !== undefined) choose((to + choices.length) % choices.length);
    else if (e.key === "Enter" || e.key === "Tab") take(at);
    else if (e.key === "Escape") close();
    else return false;
    e.preventDefault();
    e.stopPropagation();
    return true;
  };
  return { choices, facts, at: Math.min(at, choices.length - 1), choose, look, typed, key, take, close };
}

export function Replies({ asked }: { asked: Asked }) {
  const { choices, at } = asked;
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [at, choices.length]);
  const replies = choices.filter((c) => c !== MANAGE).length;
  return (
    <>
      <p class="sr-only" role="status">{replies > 0 && say.prepared.choices(replies)}</p>
      {choices.length > 0 && (
        <div class="replies" tabIndex={0}>
          <ul class="replies-list" role="listbox" id={REPLIES_ID} aria-label={say.prepared.title} ref={list}>
            {choices.map((choice, i) => (
              // the focus stays in the message
              <li key={choice === MANAGE ? MANAGE : choice.uid} id={optionId(i)} role="option" class="reply" aria-selected={i === at} onPointerDown={(e) => e.preventDefault()} onPointerMove={() => asked.choose(i)} onClick={() => asked.take(i)}>
                {choice === MANAGE ? <span class="reply-manage">{replies ? say.prepared.manage : say.prepared.makeFirst}</span> : <><bdi class="reply-name">/{choice.shortcut}</bdi><span class="reply-text" dir="auto">{filled(choice.text, asked.facts)}</span></>}
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

export function optionId(at: number): string {
  return `${REPLIES_ID}-${at}`;
}
