import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Sentence, Text } from "../chat/text.tsx";
import { Button, IconButton } from "../design/button.tsx";
import { Icon } from "../design/icons.tsx";
import { alone } from "../design/names.ts";
import { Avatar, TypingDots } from "../design/parts.tsx";
import { lastOwn } from "./corrections.ts";
import type { Desk } from "./desk.ts";
import { dayName, momentOf, timeOf } from "./format.ts";
import { type Chat, unread } from "./state.ts";
import { rarely, useFound } from "./steady.ts";
import { say } from "./strings.ts";
import { type BubbleItem, type Delivery, DRAWN, drawn, firstDrawn, newestOwn, thread } from "./thread.ts";
import { isTyping, visitorName } from "./words.ts";

const NEAR_PX = 60;

/** The log: grows at its end, stays where its reader is, and follows only who is at the end already. */
interface Deeds {
  /** An unsent message goes back into the composer. */
  onTakeBack: (item: BubbleItem) => void;
  /** The last own message is to be reworded, or deleted. */
  onReword: () => void;
  onDelete: (seq: number) => void;
}

export function Conversation({ desk, chat, ...deeds }: { desk: Desk; chat: Chat } & Deeds) {
  const { session, atEnd } = desk;
  const box = useRef<HTMLDivElement>(null);
  const [older, setOlder] = useState({ until: -1 }); // rows came above: they are no news
  const from = useRef(0);
  const asked = useRef(false); // for older rows, and not come back to the end since: a screen reader goes up without scrolling
  const first = (from.current = firstDrawn(chat.log, from.current, atEnd.peek() && !asked.current));
  const items = thread(drawn(chat, first), desk.me.value?.uid ?? "", session.unsent.value, session.unsentNotes.value, useFound(session, () => session.link.value.state === "online"), session.undo.until.value);
  const newest = newestOwn(items);
  const last = lastOwn(session, chat);
  const correctable = last && (last.ref || `seq-${last.seq}`);
  const unseen = unread(chat);
  const typing = useFound(chat, () => isTyping(chat, desk.now.value));
  const height = useRef(0);
  const firstBefore = useRef(first);
  const shapeBefore = useRef("");
  const earlier = async () => {
    asked.current = true;
    if (first === chat.log[0]?.seq) await session.loadEarlier(chat.uid);
    const { log, seq, staffSeq } = session.open.peek() ?? chat;
    from.current = Math.max(log[0]?.seq ?? 1, first - DRAWN);
    setOlder({ until: seq + staffSeq });
  };
  const toEnd = () => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  };
  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    if (first < firstBefore.current) el.scrollTop += el.scrollHeight - height.current; // older rows came above: the reader stays in place
    else if (atEnd.peek()) toEnd();
    if (first < firstBefore.current && document.activeElement === document.body) el.focus({ preventScroll: true }); // the button has gone
    firstBefore.current = first;
    height.current = el.scrollHeight;
  }, [items.length, typing, first]);
  useEffect(() => {
    const watch = new ResizeObserver(() => atEnd.peek() && toEnd());
    if (box.current) watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  const scrolled = (el: HTMLElement) => {
    // a window that changes its size moves the text, not its reader
    const shape = `${el.clientWidth} ${el.clientHeight}`;
    if (shape !== shapeBefore.current) {
      shapeBefore.current = shape;
      if (atEnd.peek()) return toEnd();
    }
    const end = el.scrollHeight - el.scrollTop - el.clientHeight < NEAR_PX;
    if (end === atEnd.peek()) return;
    atEnd.value = end;
    if (!end) return;
    asked.current = false;
    session.looked();
  };

  return (
    <div class="scroll-frame">
      <div class="scroll" ref={box} tabIndex={0} role="region" aria-label={say.talk.messagesWith(visitorName(chat.visitor))} onScroll={(e) => scrolled(e.currentTarget)}>
        {first > 1 && (
          <p class="older"><Button small kind="plain" busy={session.busy.value.has(chat.uid)} onClick={() => void earlier()}>{say.talk.earlier}</Button></p>
        )}
        <div class="log" role="log" aria-label={say.talk.conversation} aria-live={chat.seq + chat.staffSeq > older.until ? "polite" : "off"} aria-relevant="additions">
          {items.map((item) => {
            if (item.kind === "day") return <p class="day" key={item.key}><span>{dayName(item.at)}</span></p>;
            if (item.kind === "line") return <p class="system-line" key={item.key} title={momentOf(item.at)}><bdi>{item.text}</bdi> · <time class="tabular">{timeOf(item.at)}</time></p>;
            return <Said key={item.key} item={item} desk={desk} worded={item.key === newest} over={chat.left !== "" || chat.state !== "active"} correctable={item.key === correctable ? last!.seq : 0} {...deeds} />;
          })}
        </div>
        <div class="typing-line" aria-live="polite">
          {typing && <><TypingDots /> <span><Sentence text={say.talk.isTyping(alone(visitorName(chat.visitor)))} /></span></>}
        </div>
      </div>
      {!atEnd.value && <Button class="to-end" small onClick={toEnd}>{unseen ? say.talk.newMessages(unseen) : say.talk.newest}</Button>}
    </div>
  );
}

/** `correctable`: the `seq` of an own message that may be reworded or deleted, else 0. */
const Said = rarely(function Said({ item, desk, worded, over, correctable, onTakeBack, onReword, onDelete }: { item: BubbleItem; desk: Desk; worded: boolean; over: boolean; correctable: number } & Deeds) {
  const ours = item.from !== "visitor";
  const failed = item.delivery === "failed";
  const looks = { visitor: "", own: " bubble-own", colleague: " bubble-operator", note: " bubble-note" };
  const look = `bubble${looks[item.from]}${item.state === "deleted" ? " bubble-gone" : ""}${failed ? " bubble-failed" : ""}`;
  const named = item.first && item.from !== "own";
  return (
    <article class={`said said-${item.from}${ours ? " said-ours" : ""}${item.first ? " said-first" : ""}`}>
      {!ours && (item.last ? <Avatar name={item.name} small /> : <span class="avatar-gap" />)}
      <div class="said-body">
        <p class={named ? "said-name" : "sr-only"}>
          {item.from === "note" ? <><Icon name="note" /><span><Sentence text={say.talk.noteBy(item.own ? "" : alone(item.name))} /></span></> : <bdi>{item.name}</bdi>}
        </p>
        <div class={look} dir="auto" title={momentOf(item.at)}>
          {item.state === "deleted" ? say.talk.deleted : <Text text={item.text} />}
        </div>
        {failed ? <NotSent item={item} desk={desk} over={over} onTakeBack={onTakeBack} /> : (
          <p class={item.last || worded || item.unsent ? "said-foot" : "sr-only"}>
            <time class="tabular" dateTime={new Date(item.at).toISOString()}>{timeOf(item.at)}</time>
            {item.state === "edited" && ` · ${say.talk.edited}`}
            {item.delivery === "undo" && <Undo item={item} desk={desk} onTakeBack={onTakeBack} />}
            {deliveries[item.delivery] && <span class={worded || item.unsent ? "" : "sr-only"}> · {deliveries[item.delivery]}</span>}
          </p>
        )}
        {correctable > 0 && (
          <div class="said-deeds" role="group" aria-label={say.corrections.last}>
            <IconButton icon="edit" name={say.talk.edit} small onClick={onReword} />
            <IconButton icon="trash" name={say.corrections.remove} small onClick={() => onDelete(correctable)} />
          </div>
        )}
      </div>
    </article>
  );
});

const deliveries: Record<Delivery, string> = { undo: "", sending: say.talk.sending, held: say.talk.held, sent: say.talk.sent, delivered: say.talk.delivered, read: say.talk.read, failed: say.talk.notSent, "": "" };
const reasons: Record<string, string> = say.talk.notSentBecause;

/** So long it is not sent, and goes back to where it was written. */
function Undo({ item, desk, onTakeBack }: { item: BubbleItem; desk: Desk; onTakeBack: (item: BubbleItem) => void }) {
  const now = Math.max(desk.now.value, Date.now()); // the clock of the screens ticks once a second
  const left = Math.ceil(((desk.session.undo.until.value.get(item.key) ?? 0) - now) / 1000);
  return (
    <>
      {" · "}<span class="tabular">{say.talk.sendsIn(Math.max(1, left))}</span>{" "}
      <button type="button" class="link" onClick={() => onTakeBack(item)}>{say.talk.undo}</button>
    </>
  );
}

/** Takes a text that was not sent along, into the clipboard. */
export function Copy({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true), () => setCopied(false)); // refused: it can be selected
  if (!navigator.clipboard) return null; // a page in the clear has none
  return <button type="button" class="link" onClick={copy}>{copied ? say.talk.copied : say.talk.copy}</button>;
}

/** `over`: the chat is not to be written in any more, so the text can only be taken along. */
function NotSent({ item, desk, over, onTakeBack }: { item: BubbleItem; desk: Desk; over: boolean; onTakeBack: (item: BubbleItem) => void }) {
  const code = item.unsent?.failed ?? "";
  const final = over || (code in reasons && code !== "chat_returned"); // that one may be ours again
  return (
    <p class="said-foot said-failed" role="alert">
      <Icon name="alert" /><span>{reasons[code] ?? `${say.talk.notSent}.`}</span>
      {final ? <Copy text={item.text} /> : (
        <>
          <button type="button" class="link" onClick={() => desk.session.retry(item.unsent!)}>{say.talk.again}</button>
          <button type="button" class="link" onClick={() => onTakeBack(item)}>{say.talk.edit}</button>
        </>
      )}
    </p>
  );
}
