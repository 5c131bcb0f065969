import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { Icon } from "../design/icons.tsx";
import { alone, displayName } from "../design/names.ts";
import { Avatar, TypingDots } from "../design/parts.tsx";
import type { VisitorChatView } from "../wire/protocol.ts";
import type { ChatClient } from "./client.ts";
import { dayName, momentOf, timeOf } from "./format.ts";
import { isOpen } from "./state.ts";
import { refusal, t } from "./strings.ts";
import { Sentence, Text } from "./text.tsx";
import { type BubbleItem, type Item, spoken, thread } from "./thread.ts";
import { useValue } from "./value.ts";

const NEAR_PX = 80;
const QUIET_MS = 500;

/**
 * The log: grows at its end, stays where its reader is, and follows only who is at the end already. `onLeave`
 * is there while somebody waits in vain. `stopped`: nothing goes on here, what waits to be sent will not be.
 */
export function Conversation({ client, chat, onLeave = null, stopped = false }: { client: ChatClient; chat: VisitorChatView; onLeave?: (() => void) | null; stopped?: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const online = useValue(client.link) === "online";
  const shown = useValue(client.shown);
  const items = thread(chat, useValue(client.unsent), online, client.skew).map((item) => (stopped ? given(item) : item));
  const newest = spoken(items);
  const { typing } = useValue(client.state);
  const size = items.length + (typing ? 1 : 0);
  const [quiet, setQuiet] = useState(false);

  const first = chat.log?.[0]?.seq ?? 1;
  const before = useRef<readonly [number, number]>([first, 0]); // the first row, and how high all was

  useLayoutEffect(() => {
    const el = box.current!;
    if (first < before.current[0]) {
      el.scrollTop += el.scrollHeight - before.current[1]; // older rows came above: the reader stays in place
      if (document.activeElement === document.body) el.focus(); // the button has gone
    } else if (atEnd.current) el.scrollTop = el.scrollHeight;
    before.current = [first, el.scrollHeight];
  }, [size, newest, shown, first]);
  useEffect(() => {
    const el = box.current!;
    const seen = new ResizeObserver(() => {
      if (atEnd.current) el.scrollTop = el.scrollHeight; // the keyboard, a growing message box, a question
    });
    seen.observe(el);
    return () => seen.disconnect();
  }, []);

  return (
    <div class="scroll" ref={box} tabIndex={0} onScroll={(e) => {
      const el = e.currentTarget;
      atEnd.current = el.scrollHeight - el.scrollTop - el.clientHeight < NEAR_PX;
    }}>
      {first > 1 && <Older client={client} onQuiet={setQuiet} />}
      <div class="log" role="log" aria-label={t.conversation} aria-live={quiet ? "off" : "polite"} aria-relevant="additions">
        {items.map((item) => {
          if (item.kind !== "bubble") {
            const day = item.kind === "day";
            return <p class={day ? "day" : "system-line"} key={item.key}>{day ? dayName(item.at, Date.now() + client.skew) : <Sentence text={item.text} />}</p>;
          }
          return <Message key={item.key} item={item} client={client} worded={item.key === newest} open={isOpen(chat) && !stopped} />;
        })}
      </div>
      {chat.state === "waiting" && !stopped && <Line chat={chat} onLeave={onLeave} />}
      <div class="typing" aria-live="polite">
        {typing && !stopped && <><TypingDots /> <span><Sentence text={t.typing(alone(chat.operator_name ?? ""))} /></span></>}
      </div>
    </div>
  );
}

/** What was said long ago is no news: `onQuiet` keeps it from being read out as it comes. */
function Older({ client, onQuiet }: { client: ChatClient; onQuiet: (quiet: boolean) => void }) {
  const [busy, setBusy] = useState(false);
  const load = async () => {
    setBusy(true);
    onQuiet(true);
    await client.loadOlder();
    setBusy(false);
    setTimeout(() => onQuiet(false), QUIET_MS);
  };
  return <div class="older"><Button small kind="plain" busy={busy} onClick={load}>{t.older}</Button></div>;
}

/** Nobody being there is said without taking the place in line away: who likes waits on. */
function Line({ chat, onLeave }: { chat: VisitorChatView; onLeave: (() => void) | null }) {
  const n = chat.position ?? 0;
  const place = n ? (n > 1 ? t.waitingNth(n) : t.waitingFirst) + (chat.minutes ? t.waitingAbout(chat.minutes) : "") : t.waiting;
  return (
    <div class="waiting" aria-live="polite">
      <span class={onLeave ? "pulse pulse-still" : "pulse"} aria-hidden="true" />
      <div>
        <strong>{onLeave ? t.nobodyHere : place}</strong>
        <p class="muted">{onLeave ? t.nobodyHint : t.waitingHint}</p>
        {onLeave && <Button small onClick={onLeave}>{t.leaveInstead}</Button>}
      </div>
    </div>
  );
}

/** What was to be sent is not going to be. */
function given(item: Item): Item {
  return item.kind === "bubble" && (item.becameOf === "held" || item.becameOf === "sending") ? { ...item, becameOf: "failed", reason: "" } : item;
}

function Message({ item, client, worded, open }: { item: BubbleItem; client: ChatClient; worded: boolean; open: boolean }) {
  const name = displayName(item.name) || t.operator;
  const failed = item.becameOf === "failed";
  const look = ["bubble", item.own && "bubble-own", item.state === "deleted" && "bubble-gone", failed && "bubble-failed"].filter(Boolean).join(" ");
  return (
    <article class={`said${item.own ? " said-own" : ""}${item.first ? " said-first" : ""}`}>
      {!item.own && (item.last ? <Avatar name={name} picture={item.picture} small /> : <span class="avatar-gap" />)}
      <div class="said-body">
        <p class={!item.own && item.first ? "said-name" : "sr-only"}>{item.own ? t.you : <bdi>{name}</bdi>}</p>
        <div class={look} dir="auto" title={momentOf(item.at)}>
          {item.state === "deleted" ? t.deleted : <Text text={item.text} leads={t.newTab} />}
        </div>
        {failed ? (
          <p class="said-foot said-failed" role="alert">
            <Icon name="alert" />{refusal(item.reason) ?? t.notSent}
            {/* after the end the text goes along into the next chat by itself */}
            {open && <button type="button" class="link" onClick={() => client.retry(item.key)}>{t.retry}</button>}
            {open && <button type="button" class="link" onClick={() => takeBack(client, item.key)}>{t.takeBack}</button>}
          </p>
        ) : (
          <p class={item.last || worded ? "said-foot" : "sr-only"}>
            <time class="tabular" dateTime={new Date(item.at).toISOString()}>{timeOf(item.at)}</time>
            {item.state === "edited" && <span> · {t.edited}</span>}
            {item.becameOf && <Delivery item={item} worded={worded} />}
          </p>
        )}
      </div>
    </article>
  );
}

function takeBack(client: ChatClient, ref: string): void {
  client.takeBack(ref);
  document.querySelector<HTMLElement>("textarea[data-autofocus]")?.focus();
}

function Delivery({ item, worded }: { item: BubbleItem; worded: boolean }) {
  const words = { sending: t.sending, held: t.held, sent: t.sent, delivered: t.delivered, read: t.read, failed: t.notSent, "": "" }[item.becameOf];
  const pending = item.becameOf === "sending" || item.becameOf === "held";
  return (
    <span class={worded || pending ? "becameOf" : "sr-only"}>
      {" · "}{words}
    </span>
  );
}
