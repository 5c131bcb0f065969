/** Where a chat stands on a console: whether it came, stays, or left, and why. Pure. */
import { type Chat, isMine, isReturned, type Left, mine, type State } from "./model.ts";

/** So many chats that left stay on the screen, for whoever dismisses none. */
export const LEFT_SHOWN = 50;

/** Without those that left before all others, beyond `LEFT_SHOWN`; what is on the screen or holds words that were not sent stays. */
export function tidied(state: State, holdsWords: (uid: string) => boolean): State {
  const left = mine(state).filter((chat) => chat.left && chat.uid !== state.open);
  if (left.length <= LEFT_SHOWN) return state;
  const gone = left.slice(0, left.length - LEFT_SHOWN).filter(({ uid }) => !holdsWords(uid));
  return gone.reduce((next, { uid }) => without(next, uid), state);
}

/** One chat changes; what follows from it for the lists is decided in one place. */
export function change(state: State, uid: string, how: (chat: Chat) => Chat): State {
  const before = state.chats.get(uid);
  if (before) {
    const after = how(before);
    return after === before ? state : settle(lostAndFound(put(state, after), before, after), before, after);
  }
  const missed = state.missed.map((m) => (m.uid === uid ? how(m) : m));
  return missed.some((m, i) => m !== state.missed[i]) ? { ...state, missed } : state;
}

/** Which chats we have lost to the line, and have not taken again. */
function lostAndFound(state: State, before: Chat, after: Chat): State {
  if (isMine(state, after)) return { ...state, returned: state.returned.filter((r) => r.chat !== after.uid) };
  const row = after.log.findLast((r) => r.type === "chat_returned");
  if (row?.seq === undefined || row.seq <= before.seq || row.operator !== state.me?.uid) return state;
  const { number, name = "" } = after.visitor;
  const rest = state.returned.filter((r) => r.chat !== after.uid);
  return { ...state, returned: [{ chat: after.uid, at: row.at, number, ...(name && { name }) }, ...rest] };
}

/** Does the chat still belong on this console, after what happened to it? */
export function settle(state: State, before: Chat, after: Chat): State {
  if (after.left) return after.state === "closed" && after.left === "gone" ? put(state, { ...after, left: "ended" }) : state;
  if (after.state === "closed" || after.state === "missed") return leave(state, after.uid, "ended", before);
  if (after.state === "active" && after.operator !== state.me?.uid) {
    return leave(state, after.uid, before.state === "waiting" ? "taken" : "moved", before);
  }
  const moved = after.state === "waiting" && (before.state !== "waiting" || after.department.uid !== before.department.uid);
  const why: Left = isReturned(after) ? "returned" : "moved";
  if (moved && !state.me?.departments.includes(after.department.uid)) return leave(state, after.uid, why, before);
  // what was lost to the line stays to be read when a colleague takes it, with what was not sent in it
  if (moved && why === "returned" && before.operator === state.me?.uid) return put(state, { ...after, wasMine: true });
  return state;
}

/** Off the lists; but what the operator answered, or reads just now, stays readable until dismissed. */
export function leave(state: State, uid: string, why: Left, before: Chat | undefined = state.chats.get(uid)): State {
  const chat = state.chats.get(uid);
  if (!chat || chat.left) return state;
  const wasMine = chat.wasMine || (before !== undefined && before.state === "active" && before.operator === state.me?.uid);
  if (wasMine || state.open === uid) return put(state, { ...chat, left: why, wasMine, typingAt: 0, early: [], earlyNotes: [] });
  return without(state, uid);
}

export function put(state: State, chat: Chat): State {
  return { ...state, chats: new Map(state.chats).set(chat.uid, chat) };
}

export function without(state: State, uid: string): State {
  if (!state.chats.has(uid)) return state;
  const chats = new Map(state.chats);
  chats.delete(uid);
  return { ...state, chats };
}
