/** What this console knows, in eight hex digits: the server states its own and both must agree (docs/protocol.md). */
import { crc32 } from "../wire/crc32.ts";
import { type Chat, isMine, type State } from "./state.ts";

export type Positions = Record<string, [seq: number, staffSeq: number, marks: number]>;

/** Of all waiting and own active chats. */
export function positions(state: State): Positions {
  return of([...state.chats.values()].filter((c) => !c.left && (c.state === "waiting" || isMine(state, c))));
}

/** Of everything that can be read here: what left and stays on the screen may have been erased. */
export function held(state: State): Positions {
  return of([...state.chats.values()]);
}

function of(chats: readonly Chat[]): Positions {
  return Object.fromEntries(chats.map((c) => [c.uid, [c.seq, c.staffSeq, sumOfMarks(c)]]));
}

export function digest(state: State): string {
  const lines = Object.entries(positions(state)).map(([uid, [seq, staffSeq, marks]]) => `${uid}:${seq}:${staffSeq}:${marks}`);
  // uids are ASCII, so the order of code units is the order of bytes; a uid may begin another, so sort by uid alone
  lines.sort((a, b) => compare(a.slice(0, a.indexOf(":")), b.slice(0, b.indexOf(":"))));
  return crc32(`${lines.join(";")};missed:${state.missed[0]?.uid ?? ""}`).toString(16).padStart(8, "0");
}

function sumOfMarks({ marks }: Chat): number {
  return marks.visitor_delivered + marks.visitor_read + marks.operator_delivered + marks.operator_read;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
