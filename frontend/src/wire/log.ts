/** The public log of a chat, as both sides reduce it. Pure: the same rows in, the same log out. */
import type { MessagePosted, PublicRow } from "./protocol.ts";

export interface Log {
  /** The last row that was applied. */
  readonly seq: number;
  /** Ascending, without holes; may begin late where older rows have not been fetched. */
  readonly rows: readonly PublicRow[];
}

export const EMPTY: Log = { seq: 0, rows: [] };

/** A snapshot's log: its rows already are as they are now. */
export function openLog(rows: readonly PublicRow[] | undefined, seq: number): Log {
  return { seq, rows: rows ?? [] };
}

/** Rows that are known already, or not next in turn, change nothing: see `Sequence`. */
export function append(log: Log, row: PublicRow): Log {
  if (row.seq !== log.seq + 1) return log;
  let rows = log.rows;
  if (row.type === "message_edited") rows = retold(rows, row.target, { text: row.text, state: "edited" });
  if (row.type === "message_deleted") rows = retold(rows, row.target, { text: "", state: "deleted" });
  return { seq: row.seq, rows: [...rows, row] };
}

/** Puts a page of older rows in front. */
export function prepend(log: Log, older: readonly PublicRow[]): Log {
  const first = log.rows[0]?.seq ?? log.seq + 1;
  return { seq: log.seq, rows: [...older.filter((r) => r.seq < first), ...log.rows] };
}

/** Whether there are rows before the first one that we hold. */
export function beginsLate(log: Log): boolean {
  return (log.rows[0]?.seq ?? 1) > 1;
}

export function isMessage(row: PublicRow): row is MessagePosted {
  return row.type === "message_posted";
}

function retold(rows: readonly PublicRow[], target: number, now: Pick<MessagePosted, "text" | "state">) {
  return rows.map((r) => (r.seq === target && isMessage(r) ? { ...r, ...now } : r));
}
