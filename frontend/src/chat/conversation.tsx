import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { Icon } from "../design/icons.tsx";
import { displayName } from "../design/names.ts";
import { Avatar, TypingDots } from "../design/parts.tsx";
import type { VisitorChatView } from "../wire/protocol.ts";
import type { ChatClient } from "./client.ts";
import { dayName, momentOf, timeOf } from "./format.ts";
import { isOpen } from "./state.ts";
import { t } from "./strings.ts";
import { Text } from "./text.tsx";
import { type BubbleItem, spoken, thread } from "./thread.ts";

const NEAR_PX = 80;

/** The log: grows at its end, stays where its reader is, and follows only who is at the end already. */
export function Conversation({ client, chat }: { client: ChatClient; chat: VisitorChatView }) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const online = client.link.value === "online";
  const items = thread(chat, client.unsent.value, online, client.skew);
  const newest = spoken(items);
  const typing = client.state.value.typing;
  const size = items.length + (typing ? 1 : 0);

  useLayoutEffect(() => {
    if (atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [size, newest, client.shown.value]);
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
      {(chat.log?.[0]?.seq ?? 1) > 1 && <Older client={client} />}
      <div class="log" role="log" aria-label={t.conversation} aria-live="polite" aria-relevant="additions">
        {items.map((item) => {
          if (item.kind !== "bubble") {
            const day = item.kind === "day";
            return <p class={day ? "day" : "system-line"} key={item.key}>{day ? dayName(item.at, Date.now() + client.skew) : displayName(item.text)}</p>;
          }
          return <Message key={item.key} item={item} client={client} worded={item.key === newest} open={isOpen(chat)} />;
        })}
      </div>
      {isOpen(chat) && chat.state === "waiting" && <Line chat={chat} />}
      <div class="typing" aria-live="polite">
        {typing && <><TypingDots /> <span>{t.typing(displayName(chat.operator_name ?? ""))}</span></>}
      </div>
    </div>
  );
}

function Older({ client }: { client: ChatClient }) {
  const [busy, setBusy] = useState(false);
  const load = async () => {
    setBusy(true);
    await client.loadOlder();
    setBusy(false);
  };
  return <div class="older"><Button small kind="plain" busy={busy} onClick={load}>{t.older}</Button></div>;
}

function Line({ chat }: { chat: VisitorChatView }) {
  const n = chat.position ?? 0;
  return (
    <div class="waiting" aria-live="polite">
      <span class="pulse" aria-hidden="true" />
      <div>
        <strong>{n > 1 ? t.waitingNth(n) : n === 1 ? t.waitingFirst : t.waiting}</strong>
        <p class="muted">{t.waitingHint}</p>
      </div>
    </div>
  );
}

function Message({ item, client, worded, open }: { item: BubbleItem; client: ChatClient; worded: boolean; open: boolean }) {
  const name = displayName(item.name) || t.operator;
  const failed = item.delivery === "failed";
  const look = ["bubble", item.own && "bubble-own", item.state === "deleted" && "bubble-gone", failed && "bubble-failed"].filter(Boolean).join(" ");
  return (
    <article class={`said${item.own ? " said-own" : ""}${item.first ? " said-first" : ""}`}>
      {!item.own && (item.last ? <Avatar name={name} small /> : <span class="avatar-gap" />)}
      <div class="said-body">
        <p class={!item.own && item.first ? "said-name" : "sr-only"}>{item.own ? t.you : <bdi>{name}</bdi>}</p>
        <div class={look} dir="auto" title={momentOf(item.at)}>
          {item.state === "deleted" ? t.deleted : <Text text={item.text} />}
        </div>
        {failed ? (
          <p class="said-foot said-failed">
            <Icon name="alert" />{t.failed[item.reason] ?? t.notSent}
            {/* after the end the text goes along into the next chat by itself */}
            {open && <button type="button" class="link" onClick={() => client.retry(item.key)}>{t.retry}</button>}
            {open && <button type="button" class="link" onClick={() => takeBack(client, item.key)}>{t.takeBack}</button>}
          </p>
        ) : (
          <p class={item.last || worded ? "said-foot" : "sr-only"}>
            <time class="tabular" dateTime={new Date(item.at).toISOString()}>{timeOf(item.at)}</time>
            {item.state === "edited" && <span> · {t.edited}</span>}
            {item.delivery && <Delivery item={item} worded={worded} />}
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
  const words = { sending: t.sending, held: t.held, sent: t.sent, delivered: t.delivered, read: t.read, failed: t.notSent, "": "" }[item.delivery];
  const pending = item.delivery === "sending" || item.delivery === "held";
  return (
    <span class={worded || pending ? "delivery" : "sr-only"}>
      {" · "}{words}
    </span>
  );
}
