import { batch, useSignal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import { Button, IconButton } from "../design/button.tsx";
import { Icon } from "../design/icons.tsx";
import { displayName } from "../design/names.ts";
import { Avatar, Badge, ChatDrawing, Dialog, EmptyState } from "../design/parts.tsx";
import { Composer } from "./composer.tsx";
import { Conversation, Copy } from "./conversation.tsx";
import { lastOwn, reword, takeBack } from "./corrections.ts";
import type { Desk } from "./desk.ts";
import type { Mode } from "./drafts.ts";
import { Menu, MenuItem } from "../design/menu.tsx";
import { type Chat, isMine } from "./state.ts";
import type { BubbleItem } from "./thread.ts";
import { addressOf, ago, farewell, goneWords, isLeftMessage, pagePath, visitorName, waited } from "./words.ts";
import { say } from "./strings.ts";

/** The middle: the open chat, or what to do next. */
export function Pane({ desk }: { desk: Desk }) {
  const chat = desk.session.open.value;
  return (
    <div class="pane">
      {chat ? <OpenChat key={chat.uid} desk={desk} chat={chat} /> : <NothingOpen desk={desk} />}
    </div>
  );
}

function OpenChat({ desk, chat }: { desk: Desk; chat: Chat }) {
  const { session } = desk;
  const mode = useSignal<Mode>(session.drafts.mode(chat.uid));
  const text = useSignal(session.drafts.get(chat.uid, mode.peek()));
  // at one moment, so that the words of a note never stand in a reply
  const choose = (to: Mode) => batch(() => {
    session.quiet();
    mode.value = to;
    text.value = session.drafts.get(chat.uid, to);
  });
  const takeBackUnsent = (item: Pick<BubbleItem, "from" | "text" | "unsent">) => {
    const to = item.from === "note" ? "note" : "reply";
    // what the server may have by now can only be edited
    if (!session.takeBack(item.unsent!)) return;
    session.drafts.set(chat.uid, to, [item.text, session.drafts.get(chat.uid, to)].filter(Boolean).join("\n"));
    choose(to);
    requestAnimationFrame(() => document.querySelector<HTMLElement>(".composer-text")?.focus()); // what was pressed is gone
  };
  const deleting = useSignal(0); // the own message that is about to be
  /** The chat as it is when something is pressed: not all is drawn anew whenever it changes. */
  const current = () => session.open.peek() ?? chat;
  /** What may still be taken back is; else what was sent last is reworded. False where there is neither. */
  const rewordLast = (): boolean => {
    const held = session.unsent.peek().findLast((u) => u.chat === chat.uid && session.undo.holds(u.ref));
    const last = lastOwn(session, current());
    if (held) takeBackUnsent({ from: "own", text: held.text, unsent: held });
    else if (last) {
      choose("reply");
      session.drafts.reword(chat.uid, { target: last.seq, text: last.text });
    }
    return held !== undefined || last !== null;
  };
  const reworded = async (words: string) => {
    const now = session.drafts.rewordings.peek().get(chat.uid);
    const last = lastOwn(session, current());
    if (!now) return;
    if (!words) return void (deleting.value = now.target);
    const isSame = last?.seq === now.target && last.text === words;
    if (isSame || (await reword(session, chat.uid, now.target, words))) session.drafts.reword(chat.uid, null);
  };
  const removed = async () => {
    if (await takeBack(session, chat.uid, deleting.peek())) session.drafts.reword(chat.uid, null);
    deleting.value = 0;
  };
  return (
    <>
      <Head desk={desk} chat={chat} />
      <Conversation desk={desk} chat={chat} onTakeBack={takeBackUnsent} onReword={rewordLast} onDelete={(seq) => (deleting.value = seq)} />
      {isMine({ me: desk.me.value }, chat)
        ? <Composer desk={desk} chat={chat} mode={mode} text={text} onMode={choose} onReword={rewordLast} onReworded={(words) => void reworded(words)} />
        : <Foot desk={desk} chat={chat} />}
      {deleting.value > 0 && (
        <Dialog
          title={say.corrections.title}
          onClose={() => (deleting.value = 0)}
          actions={<><Button onClick={() => (deleting.value = 0)}>{say.corrections.keep}</Button><Button kind="danger" busy={session.busy.value.has(`correction ${chat.uid}`)} onClick={() => void removed()}>{say.corrections.yes}</Button></>}
        >
          <p>{say.corrections.text}</p>
        </Dialog>
      )}
    </>
  );
}

function Head({ desk, chat }: { desk: Desk; chat: Chat }) {
  const { now } = desk;
  const name = visitorName(chat.visitor);
  const own = isMine({ me: desk.me.value }, chat);
  const page = pagePath(chat.pageUrl);
  const gone = goneWords(chat, now.value);
  const since = chat.state === "waiting" ? say.pane.waiting(waited(now.value - chat.startedAt)) : chat.closedAt ? ago(now.value - chat.closedAt) : ago(now.value - (chat.acceptedAt || chat.startedAt));
  return (
    <header class="pane-head">
      <IconButton icon="back" name={say.pane.back} class="only-phone" onClick={() => (desk.column.value = "list")} />
      <Avatar name={name} />
      <div class="pane-title">
        <h2><bdi title={name}>{name}</bdi></h2>
        <p class="pane-facts">
          <span>{displayName(chat.department.name)}</span>
          <span class="tabular">{since}</span>
          {gone && <span class="pane-gone tabular"><span role="status">{gone}</span> {waited(now.value - chat.goneAt)}</span>}
          {page && <span class="pane-page" title={page}>{page}</span>}
        </p>
      </div>
      {chat.left && <Badge tone="warn">{chat.left === "ended" ? say.pane.ended : say.pane.notYours}</Badge>}
      {chat.state === "missed" && !chat.left && <Badge tone="warn">{isLeftMessage(chat) ? say.pane.message : say.pane.missed}</Badge>}
      {own && <Transfer desk={desk} chat={chat} />}
      {own && <End desk={desk} chat={chat} name={name} />}
      {own && <More desk={desk} chat={chat} name={name} />}
      <IconButton icon="people" name={say.pane.about} class="only-narrow" aria-expanded={desk.column.value === "visitor"} onClick={() => (desk.column.value = desk.column.peek() === "visitor" ? "chat" : "visitor")} />
    </header>
  );
}

function Transfer({ desk, chat }: { desk: Desk; chat: Chat }) {
  const team = desk.team.value;
  const me = desk.me.value;
  const others = desk.departments.value.filter((d) => d.uid !== chat.department.uid);
  const colleagues = team.filter((o) => o.online && o.uid !== me?.uid);
  const staffed = (uid: string) => team.some((o) => o.online && o.departments.includes(uid));
  const go = (to: { department: string } | { operator: string }, name: string) => desk.transfer(chat, to, name);
  return (
    <Menu name={say.pane.transfer} icon="swap" busy={desk.session.busy.value.has(chat.uid)}>
      {(close) => (
        <>
          {others.length > 0 && <p class="menu-heading">{say.pane.departments}</p>}
          {others.map((d) => (
            <MenuItem key={d.uid} onPick={() => { close(); void go({ department: d.uid }, d.name); }}>
              <bdi>{displayName(d.name)}</bdi>{!staffed(d.uid) && <span class="menu-aside">{say.pane.nobodyOnline}</span>}
            </MenuItem>
          ))}
          {colleagues.length > 0 && <p class="menu-heading">{say.pane.colleagues}</p>}
          {colleagues.map((o) => (
            <MenuItem key={o.uid} onPick={() => { close(); void go({ operator: o.uid }, o.name); }}>
              <Avatar name={displayName(o.name)} small /><bdi>{displayName(o.name)}</bdi>
            </MenuItem>
          ))}
          {others.length + colleagues.length === 0 && <p class="menu-heading">{say.pane.nobodyElse}</p>}
        </>
      )}
    </Menu>
  );
}

function End({ desk, chat, name }: { desk: Desk; chat: Chat; name: string }) {
  const asking = desk.ending.value === chat.uid;
  const setAsking = (on: boolean) => (desk.ending.value = on ? chat.uid : "");
  const busy = desk.session.busy.value.has(chat.uid);
  // a chat that goes while it is asked about and comes back later is not asked about again
  useLayoutEffect(() => () => setAsking(false), []);
  const end = async () => {
    await desk.session.end(chat.uid);
    setAsking(false);
  };
  return (
    <>
      {/* while the dialog asks, its button alone is "End chat" */}
      <Button small busy={busy && !asking} aria-hidden={asking ? "true" : undefined} onClick={() => setAsking(true)}><Icon name="end" />{say.pane.end}</Button>
      {asking && (
        <Dialog
          title={say.pane.endThe(name)}
          onClose={() => setAsking(false)}
          actions={<><Button onClick={() => setAsking(false)}>{say.pane.keep}</Button><Button kind="danger" busy={busy} onClick={() => void end()}>{say.pane.end}</Button></>}
        >
          <p>{say.pane.endText}</p>
        </Dialog>
      )}
    </>
  );
}

/** What is seldom done with a chat. */
function More({ desk, chat, name }: { desk: Desk; chat: Chat; name: string }) {
  const asking = useSignal(false);
  const busy = desk.session.busy.value.has(chat.uid);
  const report = async () => {
    await desk.session.reportMinor(chat.uid);
    asking.value = false;
  };
  return (
    <>
      <Menu name={say.pane.more}>
        {(close) => <MenuItem onPick={() => { close(); asking.value = true; }}>{say.pane.minor}</MenuItem>}
      </Menu>
      {asking.value && (
        <Dialog
          title={say.pane.minorOf(name)}
          onClose={() => (asking.value = false)}
          actions={<><Button onClick={() => (asking.value = false)}>{say.pane.keep}</Button><Button kind="danger" busy={busy} onClick={() => void report()}>{say.pane.minorYes}</Button></>}
        >
          <p>{say.pane.minorText}</p>
        </Dialog>
      )}
    </>
  );
}

/** Instead of the composer where there is nothing to answer. */
function Foot({ desk, chat }: { desk: Desk; chat: Chat }) {
  const { session, now } = desk;
  // who was writing goes on from the conversation; on a button the next key would press it
  useLayoutEffect(() => {
    if (document.activeElement === document.body) document.querySelector<HTMLElement>(".pane .scroll")?.focus({ preventScroll: true });
  }, []);
  if (chat.state === "waiting" && !chat.left) {
    return (
      <>
        <Begun desk={desk} chat={chat} />
        <div class="pane-foot">
          <p>{say.pane.waitingFor}<span class="tabular">{waited(now.value - chat.startedAt)}</span>{say.pane.seesYou}</p>
          <Button kind="primary" busy={session.busy.value.has(chat.uid)} onClick={() => void desk.accept(chat.uid)}>{say.lists.accept}</Button>
        </div>
      </>
    );
  }
  if (chat.state === "missed" && !chat.left) {
    const email = addressOf(chat);
    return <div class="pane-foot"><p>{isLeftMessage(chat) ? say.pane.leftAway : say.pane.nobodyAnswered} {email ? <>{say.pane.writeTo}<strong>{email}</strong>.</> : say.pane.noAddress}</p></div>;
  }
  return (
    <>
      <Begun desk={desk} chat={chat} />
      <div class="pane-foot" role="status">
        <p>{farewell(chat)}</p>
        <Button onClick={() => desk.dismiss(chat.uid)}>{say.lists.dismiss}</Button>
      </div>
    </>
  );
}

/** What was being written when the chat went: not sent, and to be taken along. */
function Begun({ desk, chat }: { desk: Desk; chat: Chat }) {
  const { drafts } = desk.session;
  const begun = [
    [say.pane.replyLost, say.pane.replyLostText, drafts.get(chat.uid, "reply")],
    [say.pane.noteLost, say.pane.noteLostText, drafts.get(chat.uid, "note")],
    [say.pane.changeLost, say.pane.changeLostText, drafts.rewordings.value.get(chat.uid)?.text],
  ] as const;
  return (
    <>
      {begun.map(([name, why, text]) => text && (
        <section class="begun" key={name} aria-label={name}>
          <p class="begun-head"><span>{why}</span><Copy text={text} /></p>
          <p class="begun-text" dir="auto">{text}</p>
        </section>
      ))}
    </>
  );
}

function NothingOpen({ desk }: { desk: Desk }) {
  const me = desk.me.value;
  if (!me) return null;
  const n = desk.waiting.value.length;
  const away = me.availability !== "online";
  const title = n ? say.app.waitingNow(n) : away ? say.pane.youAreAway : say.pane.caughtUp;
  const hint = n
    ? say.pane.acceptOne
    : away ? say.pane.offered : say.pane.newOnes;
  return (
    <div class="pane-empty">
      <EmptyState title={title} drawing={<ChatDrawing />}><p>{hint}</p></EmptyState>
    </div>
  );
}
