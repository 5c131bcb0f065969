/** What every screen shares: the session, the clock, the toasts and which column a phone shows. */
import { effect, signal } from "@preact/signals";
import { displayName } from "../design/names.ts";
import { Box } from "../wire/storage.ts";
import { Alarm } from "./alarm.ts";
import { clock } from "./clock.ts";
import { uninstall } from "./installed.ts";
import { leaveWith } from "./leaving.ts";
import { Session } from "./session.ts";
import { Preferences } from "./preferences.ts";
import type { Chat } from "./state.ts";
import { say } from "./strings.ts";
import { Tools } from "./tools-loader.ts";
import { views } from "./views.ts";
import { visitorName } from "./words.ts";

/** The box in which the operator writes, for whoever puts something into it. */
export interface Pen {
  /** Puts a text where the caret is; it is not sent. */
  insert(text: string): void;
  focus(): void;
}

export type Column = "list" | "chat" | "visitor";

export const TOAST_MS = 7_000;

export function desk(element: HTMLElement) {
  const now = clock();
  const toasts = signal<readonly { id: number; text: string }[]>([]);
  const column = signal<Column>("list");
  /** Whether the end of the conversation is in view; set by the log. */
  const atEnd = signal(true);
  /** Uid of the chat that is about to be ended, while the operator is asked. */
  const ending = signal("");
  /** Whether the settings are open. */
  const choosing = signal(false);
  const shared = new Box(() => localStorage, "chatlead-console");
  const preferences = new Preferences(shared, element.dataset["operator"] ?? "");
  const box = new Box(() => sessionStorage, "chatlead-console");
  let lastToast = 0;

  const hush = (id: number) => (toasts.value = toasts.peek().filter((t) => t.id !== id));
  const tell = (text: string) => {
    const id = ++lastToast;
    toasts.value = [...toasts.peek().slice(-2), { id, text }];
    setTimeout(() => hush(id), TOAST_MS + 40 * text.length);
  };
  const narrow = matchMedia("(max-width: 759px)");
  const looking = () =>
    document.visibilityState === "visible" && document.hasFocus() && atEnd.peek() && (!narrow.matches || column.peek() === "chat");

  const session = new Session({
    url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${element.dataset["socket"] || "/ws/v1/operator"}`,
    box,
    noteBox: new Box(() => sessionStorage, "chatlead-console-notes"),
    looking,
    writing: () => document.activeElement instanceof HTMLTextAreaElement,
    tell,
    undoMs: () => preferences.undo.peek() * 1000,
    page: window,
    document,
  });

  if (element.dataset["operator"]) session.belongTo(element.dataset["operator"]); // also while the line is down
  for (const [target, name] of [[window, "focus"], [window, "blur"], [document, "visibilitychange"]] as const) {
    target.addEventListener(name, () => session.looked());
  }

  const show = (uid: string) => {
    atEnd.value = true;
    column.value = uid ? "chat" : "list";
    session.show(uid);
  };
  const alarm = new Alarm({ preferences, shared, state: session.state, stopped: () => session.stopped.peek(), looking, show });
  effect(() => {
    void [session.state.value, session.stopped.value, column.value, atEnd.value]; // whatever of these changes
    alarm.hear();
  });
  leaveWith(session);

  const made = {
    session,
    preferences,
    alarm,
    now,
    ending,
    choosing,
    pen: null as Pen | null,
    tools: null as unknown as Tools,
    toasts,
    column,
    atEnd,
    kept: box.kept,
    /** Names of the missing things that were read about and put away. */
    get needsRead(): string {
      return box.get("needs") ?? "";
    },
    set needsRead(names: string) {
      box.set("needs", names);
    },
    tell,
    hush,
    show,
    async accept(uid: string): Promise<void> {
      if (await session.accept(uid)) show(uid);
    },
    async transfer(chat: Chat, to: { department: string } | { operator: string }, name: string): Promise<void> {
      const staffed = session.state.peek().team.some((o) => o.online && "department" in to && o.departments.includes(to.department));
      const alone = "department" in to && !staffed ? say.pane.nobodyThere : "";
      if (await session.transfer(chat.uid, to)) tell(say.pane.wentOn(visitorName(chat.visitor), displayName(name), alone));
    },
    dismiss(uid: string): void {
      column.value = "list";
      session.dismiss(uid);
    },
    /** Nothing of this operator's stays in the browser but what they chose for themselves. */
    async logOut(): Promise<void> {
      await session.undo.settle();
      if ([...session.unsent.peek(), ...session.unsentNotes.peek()].some((i) => !i.failed)) return tell(say.app.unsentYet);
      alarm.end();
      session.stop();
      session.forget();
      await uninstall();
      (document.getElementById("logout") as HTMLFormElement | null)?.submit();
    },
    ...views(session.state),
  };
  made.tools = new Tools(made, () => tell(say.palette.notLoaded));
  return made;
}

export type Desk = ReturnType<typeof desk>;
