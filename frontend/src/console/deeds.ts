/** What an operator can do now, for the palette: in an order that holds while nothing is typed. */
import { displayName } from "../design/names.ts";
import { factsOf, filled } from "./canned.ts";
import type { Desk } from "./desk.ts";
import { say } from "./strings.ts";
import { type Chat, isMine, mine, waiting } from "./state.ts";
import { visitorName, waited } from "./words.ts";

export interface Deed {
  readonly id: string;
  readonly label: string;
  readonly aside: string;
  readonly run: () => void;
}

export function deedsOf(desk: Desk): Deed[] {
  const { session } = desk;
  const state = session.state.peek();
  const now = desk.now.peek();
  const open = session.open.peek();
  const queue = waiting(state);
  const own = mine(state);
  const goTo = (chat: Chat, aside: string): Deed => ({ id: `chat ${chat.uid}`, label: say.palette.goTo(visitorName(chat.visitor)), aside, run: () => desk.show(chat.uid) });
  const next = queue[0];
  const muted = desk.preferences.muted.peek();
  const online = state.me?.availability === "online";
  return [
    ...(next ? [{ id: "accept", label: say.palette.accept, aside: `${visitorName(next.visitor)}, ${waited(now - next.startedAt)}`, run: () => void accept(desk, next.uid) }] : []),
    ...own.map((chat, i) => goTo(chat, i < 9 ? `${say.lists.mine}, ${say.keys.alt}+${i + 1}` : say.lists.mine)),
    ...queue.map((chat) => goTo(chat, say.pane.waiting(waited(now - chat.startedAt)))),
    ...state.missed.map((chat) => goTo(chat, say.lists.missed)),
    ...(open && isMine(state, open) ? withTheOpen(desk, open) : []),
    ...(state.me ? [{ id: "status", label: online ? say.palette.away : say.palette.online, aside: "", run: () => void session.setAvailability(!online) }] : []),
    { id: "sound", label: muted ? say.palette.soundOn : say.palette.soundOff, aside: "", run: () => desk.preferences.mute(!muted) },
    ...(state.canned ? [{ id: "replies", label: say.palette.replies, aside: "", run: () => void desk.tools.open("replies") }] : []),
    { id: "settings", label: say.palette.settings, aside: "", run: () => (desk.choosing.value = true) },
    { id: "keys", label: say.palette.keys, aside: "?", run: () => void desk.tools.open("keys") },
  ];
}

function withTheOpen(desk: Desk, chat: Chat): Deed[] {
  const { session } = desk;
  const { me, departments, team, canned } = session.state.peek();
  const name = say.palette.with(visitorName(chat.visitor));
  const facts = factsOf(chat, me?.name ?? "");
  const transfer = (id: string, to: { department: string } | { operator: string }, whom: string): Deed => ({
    id,
    label: say.palette.transferTo(displayName(whom)),
    aside: name,
    run: () => void desk.transfer(chat, to, whom),
  });
  return [
    ...(canned ?? []).map((c) => ({ id: `canned ${c.uid}`, label: say.palette.insert(c.shortcut), aside: displayName(filled(c.text, facts)), run: () => desk.pen?.insert(filled(c.text, facts)) })),
    ...departments.filter((d) => d.uid !== chat.department.uid).map((d) => transfer(`to ${d.uid}`, { department: d.uid }, d.name)),
    ...team.filter((o) => o.online && o.uid !== me?.uid).map((o) => transfer(`to ${o.uid}`, { operator: o.uid }, o.name)),
    { id: "end", label: say.pane.end, aside: name, run: () => (desk.ending.value = chat.uid) },
  ];
}

/** Asked for by its name, the chat is shown although the focus was in a message; if it is not, the focus goes back. */
async function accept(desk: Desk, uid: string): Promise<void> {
  const before = document.activeElement;
  if (before instanceof HTMLElement) before.blur();
  await desk.accept(uid);
  if (desk.session.state.peek().open !== uid && document.activeElement === document.body && before instanceof HTMLElement) before.focus();
}
