import { useEffect, useRef, useState } from "preact/hooks";
import { Button, IconButton } from "../design/button.tsx";
import { alone, displayName } from "../design/names.ts";
import { Avatar, Skeleton } from "../design/parts.tsx";
import type { SiteView, VisitorChatView } from "../wire/protocol.ts";
import type { LinkState } from "../wire/connection.ts";
import type { ChatClient } from "./client.ts";
import { Composer } from "./composer.tsx";
import { Conversation } from "./conversation.tsx";
import { Over, Stopped } from "./ends.tsx";
import { onlineDepartments, type Values } from "./form.ts";
import { LeaveForm, Left, Links, StartForm } from "./forms.tsx";
import { inVain, isOpen } from "./state.ts";
import { t } from "./strings.ts";
import { facesOf } from "./thread.ts";
import { Sentence } from "./text.tsx";
import { useValue } from "./value.ts";

/** `onMinimise` is null where the chat is part of its page and cannot be put away. */
export function App({ client, onMinimise }: { client: ChatClient; onMinimise: (() => void) | null }) {
  const { site, chat } = useValue(client.state);
  const [ending, setEnding] = useState(false);
  const link = useValue(client.link);
  const stoppedBy = useValue(client.stoppedBy);
  const stopped = link === "stopped" && stoppedBy !== 0;
  const open = isOpen(chat);

  useEffect(() => {
    if (!open) setEnding(false);
  }, [open]);
  useEffect(() => {
    const leave = (e: KeyboardEvent) => {
      if (e.key !== "Escape" || e.defaultPrevented) return;
      if (ending) setEnding(false);
      else onMinimise?.();
    };
    document.addEventListener("keydown", leave);
    return () => document.removeEventListener("keydown", leave);
  }, [ending]);
  useFocus(client, `${Boolean(site)} ${chat?.uid ?? ""} ${open} ${ending}`, !onMinimise, open, ending);

  return (
    <main class="frame" aria-label={t.chat}>
      <Header client={client} site={site} chat={chat} canEnd={open && !ending && !stopped} onEnd={() => setEnding(true)} onMinimise={onMinimise} />
      <Trouble client={client} />
      {stopped ? <Stopped client={client}>{chat && <Conversation client={client} chat={chat} stopped />}</Stopped>
        : !site ? <Waiting />
        : chat ? <Chat key={chat.uid} client={client} site={site} chat={chat} ending={ending} onKeep={() => setEnding(false)} />
        : <div class="scroll"><Before client={client} site={site} /></div>}
    </main>
  );
}

/** Before a chat: its form, or the one for a message. Who is writing a message when somebody comes is asked. */
function Before({ client, site }: { client: ChatClient; site: SiteView }) {
  const away = !site.online.length;
  const [leaving, setLeaving] = useState(away);
  const [left, setLeft] = useState<Values | null>(null);

  useEffect(() => {
    if (away) setLeaving(true);
    else if (!left && !client.draft.value.trim()) setLeaving(false);
  }, [away]);
  const chat = () => {
    setLeft(null);
    setLeaving(false);
  };
  if (!away && !leaving) return <StartForm client={client} site={site} />;
  const onChat = away ? null : chat;
  if (left) return <Left name={left["name"] ?? ""} email={left["email"] ?? ""} onAnother={() => setLeft(null)} onChat={onChat} />;
  return <LeaveForm client={client} site={site} onSent={setLeft} onChat={onChat} />;
}

function Header({ client, site, chat, canEnd, onEnd, onMinimise }: { client: ChatClient; site: SiteView | null; chat: VisitorChatView | null; canEnd: boolean; onEnd: () => void; onMinimise: (() => void) | null }) {
  const muted = useValue(client.muted);
  const firm = displayName(site?.name ?? "");
  const operator = chat?.state === "active" ? displayName(chat.operator_name ?? "") : "";
  const online = Boolean(site?.online.length);
  // of the department that the form begins with
  const minutes = online && client.state.value.replies[onlineDepartments(site!)[0]?.uid ?? ""];
  const below = operator ? [site?.name, chat?.department].map((each) => alone(each ?? "")).filter(Boolean).join(" · ") : chat ? alone(chat.department) : minutes ? t.replyUsual(minutes) : online ? t.onlineNow : t.offlineNow;
  return (
    <div class="head">
      {site && <Avatar name={operator || firm} picture={operator ? facesOf(chat!)["now"] : site.picture} {...(chat && !operator ? {} : { online: online || Boolean(operator) })} />}
      <div class="head-text">
        {site ? <><h1 dir="auto">{operator || firm}</h1><p class="muted"><Sentence text={below} /></p></> : <Skeleton width={140} height={18} />}
      </div>
      {canEnd && <Button kind="plain" small onClick={onEnd}>{t.endChat}</Button>}
      {muted !== null && isOpen(chat) && <IconButton icon={muted ? "muted" : "sound"} name={t.sound} aria-pressed={!muted} onClick={() => (client.muted.value = !muted)} />}
      {onMinimise && <IconButton icon="minimise" name={t.minimise} onClick={onMinimise} />}
    </div>
  );
}

/** A quiet line, always there for screen readers, seen only when there is something to say. */
function Trouble({ client }: { client: ChatClient }) {
  const trouble = useTrouble(useValue(client.link));
  const { chat } = useValue(client.state);
  const words = !trouble ? "" : isOpen(chat) ? t.trouble : t.troubleEmpty;
  return <p class={words ? "trouble trouble-shown" : "trouble"} role="status">{words}</p>;
}

/** A first connect may take a while before it is called trouble; trouble lasts until we are in again. */
function useTrouble(link: LinkState): boolean {
  const [trouble, setTrouble] = useState(false);
  useEffect(() => {
    if (link === "offline") return setTrouble(true);
    if (link === "online" || link === "stopped") return setTrouble(false);
    const timer = setTimeout(() => setTrouble(true), 3000);
    return () => clearTimeout(timer);
  }, [link]);
  return trouble;
}

function Chat({ client, site, chat, ending, onKeep }: { client: ChatClient; site: SiteView; chat: VisitorChatView; ending: boolean; onKeep: () => void }) {
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState(false);
  const [leaving, setLeaving] = useState(false);
  const vain = inVain(useValue(client.state));
  const link = useValue(client.link);
  const kept = useValue(client.kept);
  const open = isOpen(chat) && !ending;
  const end = async () => {
    setBusy(true);
    const answer = await client.endChat();
    setBusy(false);
    setRefused(!answer.ok);
    if (answer.ok) onKeep();
  };
  useEffect(() => {
    if (!vain && !client.draft.value.trim()) setLeaving(false);
  }, [vain]);
  if (leaving && open && chat.state === "waiting") {
    const back = () => setLeaving(false);
    return <div class="scroll"><LeaveForm client={client} site={site} waiting={chat} onSent={back} onKeep={back} onChat={vain ? null : back} /></div>;
  }
  return (
    <>
      <Conversation client={client} chat={chat} onLeave={vain && !ending ? () => setLeaving(true) : null} />
      {ending ? (
        <div class="ask" role="alertdialog" aria-labelledby="ask-title" aria-describedby="ask-text">
          <h2 id="ask-title">{t.endQuestion}</h2>
          <p class="muted" id="ask-text">{t.endText}</p>
          {refused && <p class="ask-refused" role="alert">{link === "online" ? t.failedOther : t.endLater}</p>}
          <div class="ask-actions">
            <Button onClick={() => { setRefused(false); onKeep(); }}>{t.keep}</Button>
            <Button kind="danger" busy={busy} onClick={end} data-autofocus>{t.endChat}</Button>
          </div>
        </div>
      ) : open ? (
        <Composer client={client} />
      ) : (
        <Over client={client} site={site} chat={chat} />
      )}
      <footer class={open ? "foot" : "foot foot-raised"}>
        {!kept && <p>{t.notKept}</p>}
        <p><Links client={client} site={site} /></p>
      </footer>
    </>
  );
}

function Waiting() {
  return (
    <div class="form" aria-busy="true">
      <span class="sr-only">{t.connecting}</span>
      <Skeleton width="70%" height={24} />
      <Skeleton height={40} />
      <Skeleton height={40} />
    </div>
  );
}

/** A screen that has just changed takes the focus; on a phone no field does, its keyboard would cover half of it;
 * a chat that is part of its page takes none from the rest of it; and who was `writing` when the other side ended
 * the chat is on no button, which the next key would press. */
function useFocus(client: ChatClient, screen: string, isPart: boolean, open: boolean, ending: boolean): void {
  const shown = useValue(client.shown);
  const wrote = useRef(false);
  useEffect(() => {
    const cutOff = wrote.current > open;
    wrote.current = open && !ending;
    if (!shown || (isPart && !document.hasFocus())) return;
    const target = document.querySelector<HTMLElement>("[data-autofocus], .form .input");
    const log = target && (target.tagName === "BUTTON" ? cutOff : matchMedia("(pointer: coarse)").matches);
    // what had it before may be gone with its screen
    (log ? document.querySelector<HTMLElement>(".scroll[tabindex]") : target)?.focus({ preventScroll: true });
  }, [shown, screen]);
}
