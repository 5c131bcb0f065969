import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Button, IconButton } from "../design/button.tsx";
import { displayName } from "../design/names.ts";
import { Avatar, Badge, Skeleton } from "../design/parts.tsx";
import type { Desk } from "./desk.ts";
import { type Chat, isReturned, unread } from "./state.ts";
import { useFound } from "./steady.ts";
import { ago, firstWords, goneWords, isLeftMessage, isTyping, lastAt, lastWords, standing, teamLine, visitorName, waited, waitedInWords } from "./words.ts";
import { say } from "./strings.ts";

export function Lists({ desk }: { desk: Desk }) {
  if (!desk.me.value) return <div class="lists" aria-busy="true"><Loading /></div>;
  return (
    <div class="lists">
      <Waiting desk={desk} />
      <div class="lists-rest">
        <Mine desk={desk} />
        <Missed desk={desk} />
        <Team desk={desk} />
      </div>
    </div>
  );
}

function Section({ name, count, tone = "", children }: { name: string; count: number; tone?: "" | "accent"; children: ComponentChildren }) {
  return (
    <section class="list" aria-label={name}>
      <h2 class="list-title">{name} {count > 0 && <Badge tone={tone}>{count}</Badge>}</h2>
      {children}
    </section>
  );
}

function Waiting({ desk }: { desk: Desk }) {
  const chats = desk.waiting.value;
  const me = desk.me.value;
  const since = desk.awaySince.value;
  const away = me?.availability !== "online";
  const long = away && since > 0;
  const gone = useFound(since, () => ago(desk.now.value - since));
  const why = long ? say.lists.goneFor(gone) : say.lists.awayNow;
  return (
    <Section name={say.lists.waiting} count={chats.length} tone="accent">
      {(chats.length === 0 || long) && (
        <div class="list-empty">
          <p>{away ? why : say.lists.nobodyWaits}</p>
          {away && <Button small busy={desk.session.busy.value.has("status")} onClick={() => void desk.session.setAvailability(true)}>{say.lists.start}</Button>}
        </div>
      )}
      <ul role="list">
        {chats.map((chat) => <WaitingRow key={chat.uid} desk={desk} chat={chat} several={me!.departments.length > 1} />)}
      </ul>
    </Section>
  );
}

function WaitingRow({ desk, chat, several }: { desk: Desk; chat: Chat; several: boolean }) {
  const name = visitorName(chat.visitor);
  const words = firstWords(chat);
  const gone = useFound(chat, () => goneWords(chat, desk.now.value));
  const isOpen = useFound(chat.uid, () => desk.shown.value === chat.uid);
  const busy = useFound(chat.uid, () => desk.session.busy.value.has(chat.uid));
  return (
    <li class="row" data-open={isOpen}>
      <button type="button" class="row-main" title={name} onClick={() => desk.show(chat.uid)}>
        <Avatar name={name} small />
        <span class="row-body">
          <span class="row-top">
            <bdi class="row-name">{name}</bdi>
          </span>
          <span class="row-bottom">
            <Clock desk={desk} since={chat.startedAt} />
            {isReturned(chat) && <span class="row-returned">{say.lists.returned} </span>}
            {gone && <span class="row-gone">{gone} </span>}
            <span class="row-words">{words ? <span dir="auto">{words}</span> : <span class="muted">{say.lists.notWrittenYet}</span>}</span>
          </span>
          {several && <span class="row-department">{displayName(chat.department.name)}</span>}
        </span>
      </button>
      <Button class="row-accept" kind="primary" small busy={busy} title={say.lists.acceptThe(name)} onClick={() => void desk.accept(chat.uid)}>
        {say.lists.accept}
      </Button>
    </li>
  );
}

/** Goes on every second, by itself. */
function Clock({ desk, since }: { desk: Desk; since: number }) {
  const wait = desk.now.value - since;
  const isWarm = wait >= desk.target.value * 1000;
  return (
    <>
      <span class={`row-clock tabular ${isWarm ? "row-warm" : ""}`} aria-hidden="true">{waited(wait)}</span>
      <span class="sr-only">{say.lists.waitingFor(waitedInWords(wait))}</span>
    </>
  );
}

function Mine({ desk }: { desk: Desk }) {
  const chats = desk.mine.value;
  return (
    <Section name={say.lists.mine} count={chats.filter((c) => !c.left).length}>
      <Returned desk={desk} />
      {chats.length === 0 && <p class="list-empty">{say.lists.mineEmpty}</p>}
      <ul role="list">
        {chats.map((chat, i) => <MineRow key={chat.uid} desk={desk} chat={chat} number={i + 1} />)}
      </ul>
    </Section>
  );
}

/** Chats that went while nothing was heard of us: never silently, and told until we have seen it. */
function Returned({ desk }: { desk: Desk }) {
  const chats = desk.session.lost.value;
  if (chats.length === 0) return null;
  const names = chats.map((c) => displayName(c.name ?? "") || say.who.visitor(c.number));
  return (
    <div class="list-note" role="status">
      <p>{say.lists.lost(chats.length)}{names.map((name, i) => <span key={chats[i]!.chat}>{i > 0 && ", "}<bdi>{name}</bdi></span>)}.</p>
      <Button small kind="plain" onClick={() => desk.session.seenLost()}>{say.lists.allRight}</Button>
    </div>
  );
}

function MineRow({ desk, chat, number }: { desk: Desk; chat: Chat; number: number }) {
  const name = visitorName(chat.visitor);
  const n = chat.left ? 0 : unread(chat);
  const gone = useFound(chat, () => goneWords(chat, desk.now.value));
  const typing = useFound(chat, () => isTyping(chat, desk.now.value));
  const since = useFound(chat, () => ago(desk.now.value - lastAt(chat)));
  const open = useFound(chat.uid, () => desk.shown.value === chat.uid);
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (open) row.current?.scrollIntoView({ block: "nearest" }); // it may have been opened by a key
  }, [open]);
  const { drafts } = desk.session;
  // what the visitor has just said matters more than what was begun before it
  const draft = open || n ? "" : drafts.get(chat.uid, drafts.mode(chat.uid));
  return (
    <li ref={row} class={`row ${chat.left ? "row-left" : ""}`} data-open={open}>
      <button type="button" class="row-main" aria-current={open ? "true" : undefined} title={number < 10 ? `Alt+${number}` : undefined} onClick={() => desk.show(chat.uid)}>
        <Avatar name={name} />
        <span class="row-body">
          <span class="row-top">
            <bdi class={`row-name ${n ? "row-unread" : ""}`}>{name}</bdi>
            <span class="row-time tabular">{chat.left ? "" : since}</span>
          </span>
          <span class="row-bottom">
            <span class="row-words">
              {chat.left ? say.lists.left[chat.left]
                : typing ? <span class="row-typing">{say.lists.typing}</span>
                : gone ? <span class="row-gone">{gone}</span>
                : draft ? <><span class="row-draft">{drafts.mode(chat.uid) === "note" ? say.lists.note : say.lists.draft}</span> <span dir="auto">{displayName(draft)}</span></>
                : <span dir="auto">{lastWords(chat) || say.lists.nothingWritten}</span>}
            </span>
            {n > 0 && <span class="row-badge"><Badge tone="accent">{n}</Badge><span class="sr-only"> {say.lists.unread}</span></span>}
          </span>
        </span>
      </button>
      {chat.left && <IconButton icon="close" name={say.lists.dismiss} small class="row-dismiss" onClick={() => desk.dismiss(chat.uid)} />}
    </li>
  );
}

function Missed({ desk }: { desk: Desk }) {
  const chats = desk.missed.value;
  if (chats.length === 0) return null;
  return (
    <Section name={say.lists.missed} count={chats.length}>
      <ul role="list">
        {chats.map((chat) => <MissedRow key={chat.uid} desk={desk} chat={chat} />)}
      </ul>
    </Section>
  );
}

function MissedRow({ desk, chat }: { desk: Desk; chat: Chat }) {
  const name = visitorName(chat.visitor);
  const open = useFound(chat.uid, () => desk.shown.value === chat.uid);
  const since = useFound(chat, () => ago(desk.now.value - (chat.closedAt || chat.startedAt)));
  return (
    <li class="row row-slim" data-open={open}>
      <button type="button" class="row-main" aria-current={open ? "true" : undefined} onClick={() => desk.show(chat.uid)}>
        <Avatar name={name} small />
        <span class="row-body">
          <span class="row-top"><bdi class="row-name">{name}</bdi><span class="row-time tabular">{since}</span></span>
          <span class="row-words">{isLeftMessage(chat) && <span class="row-kind">{say.lists.message} </span>}<span dir="auto">{firstWords(chat) || say.lists.withoutAWord}</span></span>
        </span>
      </button>
    </li>
  );
}

function Team({ desk }: { desk: Desk }) {
  const me = desk.me.value;
  const people = [...desk.team.value].sort((a, b) => Number(b.online) - Number(a.online) || a.name.localeCompare(b.name));
  return (
    <section class="list list-team" aria-label={say.lists.team}>
      <h2 class="list-title">{say.lists.team} <span class="list-aside">{teamLine(people)}</span></h2>
      <ul role="list" class="team">
        {people.map((o) => (
          <li key={o.uid} class="team-member" title={standing(o)}>
            <Avatar name={displayName(o.name)} small online={o.online} />
            <bdi>{o.uid === me?.uid ? say.who.you : displayName(o.name)}</bdi>
            <span class="sr-only">{standing(o)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Loading() {
  return (
    <div class="loading">
      <span class="sr-only" role="status">{say.lists.loading}</span>
      {[72, 54, 64].map((w) => <div key={w} class="loading-row"><Skeleton width={36} height={36} /><div><Skeleton width={`${w}%`} height={12} /><Skeleton width="90%" height={12} /></div></div>)}
    </div>
  );
}

