/** What the console says about chats, people and times. Pure; names of strangers come out safe to show. */
import { displayName, webAddress } from "../design/names.ts";
import type { OperatorView, PublicRow, VisitorView } from "../wire/protocol.ts";
import type { Chat } from "./state.ts";
import { once } from "./once.ts";
import { say } from "./strings.ts";

export const TYPING_MS = 6_000;

export function visitorName(visitor: VisitorView): string {
  return displayName(visitor.name ?? "") || say.who.visitor(visitor.number);
}

/** A running clock: 0:42, 12:05, 1:02:03. */
export function waited(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/** The same for those who hear it. */
export function waitedInWords(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  return s < 60 ? say.times.lessThanAMinute : say.times.minutes(Math.floor(s / 60));
}

/** now, 4 min, 2 h, 3 d */
export function ago(ms: number): string {
  const min = Math.floor(Math.max(0, ms) / 60_000);
  if (min < 1) return say.times.now;
  if (min < 60) return say.times.minutesAgo(min);
  return min < 24 * 60 ? say.times.hoursAgo(Math.floor(min / 60)) : say.times.daysAgo(Math.floor(min / 1440));
}

/** Where the visitor is: host and path, without the scheme. */
export function pagePath(url: string): string {
  const address = webAddress(url);
  if (!address) return "";
  const { host, pathname } = new URL(address);
  return displayName(host + (pathname === "/" ? "" : decode(pathname)));
}

function decode(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

type Posted = PublicRow & { type: "message_posted" };
const isPosted = (row: PublicRow): row is Posted => row.type === "message_posted";

/** The end of the conversation in one line. */
export const lastWords = once((chat: Chat): string => {
  const last = chat.log.findLast(isPosted);
  if (!last) return "";
  const text = last.state === "deleted" ? say.talk.deleted : displayName(last.text);
  return last.author === "operator" ? say.talk.youSaid(text) : text;
});

/** What the visitor began with. */
export const firstWords = once((chat: Chat): string => displayName(chat.log.find((r): r is Posted => isPosted(r) && r.author === "visitor")?.text ?? ""));

/** Left by a form while nobody was online: it ended in the moment it began. */
export function isLeftMessage(chat: Chat): boolean {
  return chat.state === "missed" && chat.closedAt === chat.startedAt;
}

/** Where to write to: what was left with a message counts, not what the same browser said later. */
export function addressOf(chat: Chat): string {
  const left = isLeftMessage(chat) ? chat.answers.find((a) => a.name === "email")?.value : undefined;
  return displayName(left ?? chat.visitor.email ?? "");
}

export function lastAt(chat: Chat): number {
  return chat.log.at(-1)?.at ?? chat.startedAt;
}

export function isTyping(chat: Chat, now: number): boolean {
  return chat.typingAt > 0 && now - chat.typingAt < TYPING_MS;
}

/** "" for rows that are no line of their own. */
export function lineOf(row: PublicRow, me: string): string {
  // "" is whoever reads it
  const who = row.operator && row.operator === me ? "" : displayName(row.name ?? "") || say.who.operator;
  switch (row.type) {
    case "chat_opened":
      return say.lines.started(displayName(row.department ?? ""));
    case "chat_accepted":
      return say.lines.accepted(who);
    case "chat_transferred": {
      const to = row.to_operator ? (row.to_operator === me ? "" : displayName(row.to_name ?? "") || say.who.operator) : displayName(row.department);
      return say.lines.transferred(who, to);
    }
    case "chat_returned":
      if (row.reason === "withdrawn") return say.lines.withdrawn(who);
      return say.lines.lost(who);
    case "chat_closed":
      if (row.reason === "message") return say.lines.leftMessage;
      if (row.state === "missed") return row.reason === "left" || row.reason === "abandoned" ? say.lines.leftBefore : say.lines.nobody;
      if (row.reason === "idle") return say.lines.idle;
      if (row.reason === "left" || row.author === "visitor") return row.reason === "left" ? say.lines.visitorLeft : say.lines.visitorEnded;
      return row.author === "operator" ? say.lines.endedBy(who) : say.lines.ended;
    case "message_posted":
    case "message_edited":
    case "message_deleted":
      return "";
  }
}

/** Why a chat that left is still on the screen, and what to do with it. */
export function farewell(chat: Chat): string {
  switch (chat.left) {
    case "ended":
      return chat.state === "missed" ? say.lines.farewellMissed : say.lines.farewellEnded;
    case "moved": {
      const to = chat.state === "active" ? displayName(chat.operatorName) : displayName(chat.department.name);
      return say.lines.farewellMoved(to);
    }
    case "taken":
      return say.lines.farewellTaken(displayName(chat.operatorName));
    case "returned":
      return say.lines.farewellReturned;
    case "gone":
      return say.lines.farewellGone;
    case "":
      return "";
  }
}

/** A visitor who goes from page to page is gone for a moment each time. */
export const GONE_MS = 5_000;

/** Where the visitor is, if not here: "" while her page is open. */
export function goneWords(chat: Chat, now: number): string {
  const isOver = chat.left !== "" || chat.state === "closed" || chat.state === "missed";
  if (isOver || chat.presence === "here" || now - chat.goneAt < GONE_MS) return "";
  return chat.presence === "left" ? say.pane.leftThePage : say.pane.connectionLost;
}

/** How a colleague is: Online counts only while something is heard of them. */
export function standing(o: OperatorView): string {
  if (o.online) return say.who.online;
  return o.availability === "online" ? say.who.notConnected : say.who.away;
}

/** 2 online, 1 away */
export function teamLine(team: readonly OperatorView[]): string {
  const on = team.filter((o) => o.online).length;
  return say.who.team(on, team.length - on);
}
