/** What the visitor of the open chat talked about before: a page at a time, each to be read on a page of its own. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { displayName } from "../design/names.ts";
import { Badge, Skeleton } from "../design/parts.tsx";
import type { EarlierChat } from "../wire/protocol.ts";
import type { Desk } from "./desk.ts";
import { momentOf } from "./format.ts";
import { say } from "./strings.ts";

type Stand = "loading" | "failed" | "all" | "more";

/** `key` it by the chat: each has its own list. */
export function EarlierChats({ desk, chat }: { desk: Desk; chat: string }) {
  const { session } = desk;
  const chats = useSignal<readonly EarlierChat[]>([]);
  const hidden = useSignal(0);
  const stand = useSignal<Stand>("loading");
  const list = useRef<HTMLUListElement>(null);
  const isOnline = session.link.value.state === "online";
  const load = async (): Promise<void> => {
    const known = chats.peek();
    const last = known.at(-1)?.uid;
    stand.value = "loading";
    const reply = await session.questions.plainly({ type: "load_earlier", chat, ...(last && { older_than: last }) });
    if (reply?.type !== "earlier") return void (stand.value = "failed");
    if (!last) hidden.value = reply.hidden ?? 0;
    chats.value = [...known, ...reply.chats];
    stand.value = reply.more ? "more" : "all";
    // the button that was pressed may be gone: who pressed it goes on with what it brought
    if (last) requestAnimationFrame(() => list.current?.querySelectorAll<HTMLElement>("a")[known.length]?.focus());
  };
  // at first, and by itself when the line is back
  useEffect(() => {
    if (isOnline && (stand.peek() === "failed" || !chats.peek().length)) void load();
    if (!isOnline && stand.peek() === "loading") stand.value = "failed";
  }, [isOnline]);
  const isEmpty = stand.value === "all" && chats.value.length + hidden.value === 0;
  return (
    <section class="earlier" aria-labelledby="earlier" aria-busy={stand.value === "loading"}>
      <h3 class="context-sub" id="earlier">{say.visitor.earlier}</h3>
      {chats.value.length > 0 && <ul role="list" ref={list}>{chats.value.map((each) => <Earlier key={each.uid} chat={each} />)}</ul>}
      <div role="status">
        {isEmpty && <p class="muted">{say.visitor.first}</p>}
        {stand.value === "loading" && <><span class="sr-only">{say.visitor.loading}</span><Skeleton height={12} /></>}
        {stand.value === "failed" && <p>{isOnline ? say.visitor.notLoaded : say.visitor.noLine}</p>}
        {stand.value === "all" && hidden.value > 0 && <p class="muted">{say.visitor.hidden(hidden.value)}</p>}
      </div>
      {stand.value === "more" && <Button small kind="plain" onClick={() => void load()}>{say.visitor.older}</Button>}
      {stand.value === "failed" && isOnline && <Button small onClick={() => void load()}>{say.visitor.again}</Button>}
    </section>
  );
}

function Earlier({ chat }: { chat: EarlierChat }) {
  const t = say.visitor;
  const who = chat.operator_name ? t.answeredBy(displayName(chat.operator_name)) : chat.message ? t.message : t.nobody;
  const words = chat.erased ? t.erased : displayName(chat.words ?? "") || (chat.archived ? t.inArchive : t.noWords);
  return (
    <li class="earlier-chat">
      <a href={`/account/chats/${chat.uid}/`} target="_blank"><time dateTime={new Date(chat.started_at).toISOString()}>{momentOf(chat.started_at)}</time><span class="sr-only"> {t.newTab}</span></a>
      <p class="muted"><bdi>{displayName(chat.department)}</bdi> · <bdi>{who}</bdi></p>
      <p class={chat.words && !chat.erased ? "" : "muted"} dir="auto">{words}</p>
      {chat.archived && !chat.erased && <Badge>{t.archived}</Badge>}
    </li>
  );
}
