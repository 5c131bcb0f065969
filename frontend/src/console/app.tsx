import { useSignalEffect } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { Icon } from "../design/icons.tsx";
import { Toast } from "../design/toast.tsx";
import { CLOSE_CODES } from "../wire/protocol.ts";
import { titleOf } from "./alerts.ts";
import type { Desk } from "./desk.ts";
import { Hint } from "./hint.tsx";
import { intentOf, isMac, writesIn } from "./keys.ts";
import { Lists } from "./lists.tsx";
import { Needs } from "./needs.tsx";
import { Pane } from "./pane.tsx";
import { PreferencesDialog } from "./preferences-dialog.tsx";
import { Rail } from "./rail.tsx";
import { isMine } from "./state.ts";
import { useFound } from "./steady.ts";
import { Visitor } from "./visitor.tsx";
import { say } from "./strings.ts";

export function App({ desk }: { desk: Desk }) {
  useSignalEffect(() => {
    document.title = titleOf(desk.wanting.value);
  });
  useSignalEffect(() => {
    desk.column.value; // another column shows another thing: is the conversation still before one's eyes?
    desk.session.looked();
  });
  useEffect(() => {
    const key = (e: KeyboardEvent) => shortcut(desk, e);
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  }, []);
  const open = useFound(desk, () => desk.session.open.value !== undefined);
  const waits = useFound(desk, () => desk.waiting.value.length);
  const column = open ? desk.column.value : "list";
  return (
    <div class={desk.preferences.compact.value ? "app compact" : "app"} data-column={column}>
      <Rail desk={desk} />
      <Trouble desk={desk} />
      <main class="columns">
        <h1 class="sr-only">{say.app.chats}</h1>
        <Lists desk={desk} />
        <Pane desk={desk} />
        <Visitor desk={desk} />
      </main>
      {/* not in the rail, which a small window hides: a modal dialog that nobody sees would lock all up */}
      {desk.choosing.value && <PreferencesDialog desk={desk} onClose={() => (desk.choosing.value = false)} />}
      <p class="sr-only" role="status">{waits > 0 && say.app.waitingNow(waits)}</p>
      <div class="toasts" role="status">
        {desk.toasts.value.map((t) => (
          <Toast key={t.id} text={t.text} closeLabel={say.app.closeMessage} onClose={() => desk.hush(t.id)} />
        ))}
      </div>
    </div>
  );
}

/** A quiet line on top, never a dialog: what happened, what is safe, what to do. */
function Trouble({ desk }: { desk: Desk }) {
  const { state, code } = desk.session.link.value;
  const known = useFound(desk, () => desk.me.value !== null);
  const [late, setLate] = useState(false);
  const gone = state === "offline" || state === "connecting";
  useEffect(() => {
    if (!gone) return setLate(false);
    const timer = setTimeout(() => setLate(true), 400); // a change of socket that takes a blink is no trouble
    return () => clearTimeout(timer);
  }, [gone]);
  const stopped = desk.session.stopped.value;
  if (!stopped && !(gone && late && (known || state === "offline"))) return <div class="trouble" role="status">{known && <><Needs desk={desk} /><Hint desk={desk} /></>}</div>;
  return (
    <div class="trouble" role="status">
      <div class={`banner ${stopped ? "banner-bad" : "banner-warn"}`}>
        <Icon name="alert" />
        <span>{stopped ? stops[code] ?? say.app.ended : say.app.trouble}</span>
        {stopped
          ? code === CLOSE_CODES.NOT_AUTHENTICATED
            ? <a class="button button-quiet button-small" href="/console/login/?next=/console/">{say.app.logInAgain}</a>
            : <Button small onClick={() => location.reload()}>{say.app.reload}</Button>
          : <Button small onClick={() => desk.session.wake()}>{say.app.tryNow}</Button>}
      </div>
    </div>
  );
}

const stops: Record<number, string> = {
  [CLOSE_CODES.NOT_AUTHENTICATED]: say.app.loggedOut,
  [CLOSE_CODES.FORBIDDEN]: say.app.forbidden,
  [CLOSE_CODES.PROTOCOL_NOT_SPOKEN]: say.app.newer,
};

/** What a key does that works everywhere (keys.ts). */
function shortcut(desk: Desk, e: KeyboardEvent): void {
  const where = { typing: writesIn(e.target), modal: document.querySelector("dialog[open]") !== null, mac: isMac(navigator.platform) };
  const intent = e.defaultPrevented ? null : intentOf(e, where);
  if (!intent) return;
  if (intent.do === "back") return goBack(desk);
  e.preventDefault();
  if (intent.do !== "chat") return void desk.tools.open(intent.do);
  const chat = desk.mine.peek()[intent.number - 1];
  if (chat) desk.show(chat.uid);
}

/** From the visitor to the conversation, from there to its row in the list. */
function goBack(desk: Desk): void {
  if (desk.column.peek() === "visitor") return void (desk.column.value = "chat");
  const state = desk.session.state.peek();
  const chat = desk.session.open.peek();
  if (!chat) return;
  if (isMine(state, chat)) desk.column.value = "list";
  else desk.show("");
  const row = document.querySelector<HTMLElement>(".row[data-open=true] .row-main") ?? document.querySelector<HTMLElement>(".row-main");
  row?.focus();
}
