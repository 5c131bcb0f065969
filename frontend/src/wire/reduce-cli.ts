/**
 * The reducers of widget and console outside of a browser, for the server's own tests (V-2): one JSON line in,
 * `{"side", "frames"}`, one out: what the screen would know after these frames, without what only a screen has.
 */
import { createInterface } from "node:readline";
import * as widget from "../chat/state.ts";
import * as desk from "../console/state.ts";
import { digest, positions } from "../console/digest.ts";

interface Job {
  side: "visitor" | "operator";
  frames: unknown[];
}

function visitor(frames: widget.Incoming[]) {
  let state = widget.NOTHING;
  for (const frame of frames as (widget.Incoming | { type: "resumed"; log: widget.Incoming[] })[]) {
    if (frame.type === "resumed") for (const row of frame.log) state = widget.apply(state, row);
    else state = widget.apply(state, frame);
  }
  const { chat, site, epoch } = state;
  return {
    epoch,
    online: site?.online ?? [],
    chat: chat && { position: 0, minutes: 0, closed_at: 0, operator_name: "", log: [], ...chat, marks: { ...NO_MARKS, ...chat.marks } },
  };
}

function operator(frames: desk.Frame[]) {
  let state = desk.nothing;
  for (const frame of frames) state = desk.apply(state, frame);
  const seen = (chat: desk.Chat) => {
    const { early, earlyNotes, left, wasMine, readHere, typingAt, unreadBefore, ...kept } = chat;
    return { ...kept, held: early.length + earlyNotes.length, unread: desk.unread(chat) };
  };
  const here = [...state.chats.values()].filter((chat) => !chat.left);
  const { epoch, account, me, departments, team, version, target, returned, canned, cannedVersion } = state;
  return {
    epoch,
    account,
    me,
    departments,
    team,
    version,
    chats: Object.fromEntries(here.map((chat) => [chat.uid, seen(chat)])),
    missed: state.missed.map(seen),
    canned,
    target,
    canned_version: cannedVersion,
    returned: returned.map(({ name = "", ...rest }) => ({ ...rest, name })),
    digest: digest(state),
    positions: positions(state),
  };
}

const NO_MARKS = { visitor_delivered: 0, visitor_read: 0, operator_delivered: 0, operator_read: 0 };

for await (const line of createInterface({ input: process.stdin })) {
  const { side, frames } = JSON.parse(line) as Job;
  const known = side === "visitor" ? visitor(frames as widget.Incoming[]) : operator(frames as desk.Frame[]);
  process.stdout.write(`${JSON.stringify(known)}\n`);
}
