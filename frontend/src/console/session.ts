/**
 * The console at work: one connection, one state, and what must happen because of a change. It holds the
 * timers and the storage that the reducer may not know. Screens read its signals and call its methods.
 */
import { computed, signal } from "@preact/signals";
import { Connection, type LinkState, LONGEST_OF_CONSOLE_MS, QUIET_IN_CHAT_MS } from "../wire/connection.ts";
import { Outbox, type Unsent } from "../wire/outbox.ts";
import { poll } from "../wire/polls.ts";
import { type Ack, CLOSE_CODES, type OperatorWelcome, PROTOCOL } from "../wire/protocol.ts";
import { reloadOnce, understood } from "../wire/renewal.ts";
import type { Box } from "../wire/storage.ts";
import { CatchUp } from "./catch-up.ts";
import { Drafts } from "./drafts.ts";
import { Marks } from "./marks.ts";
import { type Command, Questions } from "./questions.ts";
import * as st from "./state.ts";
import { steady } from "./steady.ts";
import { Typing } from "./typing.ts";
import { Undo } from "./undo.ts";
import { say } from "./strings.ts";

export interface Surroundings {
  url: string;
  /** The tab's storage, for drafts and unsent replies; another for unsent notes. */
  box: Box;
  noteBox: Box;
  /** Whether a person has the conversation before their eyes: visible, focused, not covered. */
  looking: () => boolean;
  /** Whether a person writes in the open conversation just now. */
  writing?: () => boolean;
  /** Something that the operator should hear about although they did not ask. */
  tell: (text: string) => void;
  /** How long (ms) a reply may be taken back before it is sent. */
  undoMs?: () => number;
  page?: EventTarget;
  document?: EventTarget & { readonly visibilityState: string };
}

export interface Link {
  readonly state: LinkState;
  readonly code: number;
  /** Whether we poll, because no socket has ever got through. */
  readonly polls: boolean;
}

type Wire = st.Frame & { readonly id?: number };

const UNAVAILABLE_MS = 2_000;

export class Session {
  readonly state = signal<st.State>(st.nothing);
  readonly link = signal<Link>({ state: "idle", code: 0, polls: false });
  /** The server has sent us away, and only a log-in or another page leads back. */
  readonly stopped = computed(() => this.link.value.state === "stopped" && this.link.value.code !== 0);
  readonly unsent = signal<readonly Unsent[]>([]);
  readonly unsentNotes = signal<readonly Unsent[]>([]);
  readonly drafts: Drafts;
  readonly undo: Undo = new Undo(() => this.replies);
  readonly open = computed(() => st.find(this.state.value, this.state.value.open));
  /** Chats that went back to the line, of which the operator has not said that they have seen it. */
  readonly lost = steady(() => this.state.value.returned.filter((r) => r.at > this.lostSeen.value));

  private lostSeen = signal(0);
  private connection: Connection<Wire>;
  readonly questions = new Questions((command) => this.connection.ask(command), (text) => this.around.tell(text));
  /** Uids of chats for which an answer of the server is awaited. */
  readonly busy = this.questions.busy;
  private replies: Outbox;
  private notes: Outbox;
  private marks = new Marks(
    () => this.state.peek(),
    (chat, mark) => this.send({ type: "mark", chat, ...mark }),
  );
  private typing = new Typing((chat, on) => this.send({ type: "set_typing", chat, on }));
  private catchUp = new CatchUp(
    () => this.state.peek(),
    (command) => this.send(command),
    this.marks,
    () => {
      this.connection.stop();
      this.connection.start();
    },
  );

  constructor(private around: Surroundings) {
    const { url, box, noteBox, page, document } = around;
    this.drafts = new Drafts(box);
    this.lostSeen.value = Number(box.get("lost")) || 0;
    this.connection = new Connection<Wire>({
      url,
      hello: async () => ({ type: "hello", protocol: PROTOCOL }),
      isWelcome: (f) => f.type === "operator_welcome",
      onFrame: (f) => this.hear(f),
      onState: (state, code) => {
        if (state === "online") understood();
        if (state === "stopped" && code === CLOSE_CODES.PROTOCOL_NOT_SPOKEN) reloadOnce();
        this.link.value = { state, code, polls: this.connection.isBlocked };
      },
      quietMs: () => QUIET_IN_CHAT_MS, // an operator who is not told of a dead line loses visitors
      longestMs: LONGEST_OF_CONSOLE_MS,
      poll: () => poll(url, () => this.catchUp.at()),
      box,
      ...(page && { page }),
      ...(document && { document }),
    });
    this.replies = new Outbox(
      box,
      ({ chat, ref, text }) => this.connection.send({ type: "send_message", chat, ref, text }, true),
      () => (this.unsent.value = this.replies.all),
      ({ ref }) => this.undo.holds(ref),
    );
    this.notes = new Outbox(
      noteBox,
      ({ chat, ref, text }) => this.connection.send({ type: "add_note", chat, ref, text }, true),
      () => (this.unsentNotes.value = this.notes.all),
    );
    this.unsent.value = this.replies.all;
    this.unsentNotes.value = this.notes.all;
  }

  start(): void {
    this.connection.start();
  }

  stop(): void {
    this.connection.stop();
  }

  /** Tries at once instead of at the next turn. */
  wake(): void {
    this.connection.wake();
  }

  /** Nothing that was typed stays in this tab (log-out, or another operator logged in). */
  forget(): void {
    this.drafts.clear();
    this.replies.clear();
    this.notes.clear();
  }

  // --- what the operator does -------------------------------------------------------------------------

  show(uid: string): void {
    this.become(st.open(this.state.peek(), uid));
  }

  dismiss(uid: string): void {
    for (const item of this.replies.of(uid)) this.replies.remove(item.ref);
    for (const item of this.notes.of(uid)) this.notes.remove(item.ref);
    this.drafts.forget(uid);
    this.become(st.dismiss(this.state.peek(), uid));
  }

  seenLost(): void {
    this.lostSeen.value = Math.max(0, ...this.state.peek().returned.map((r) => r.at));
    this.around.box.set("lost", String(this.lostSeen.peek()));
  }

  say(chat: string, text: string): void {
    this.quiet();
    const ms = this.around.undoMs?.() ?? 0;
    this.replies.add(chat, text, (ref) => ms > 0 && this.undo.hold(ref, ms));
  }

  /** The page goes. */
  sendAll(): void {
    this.replies.last();
    this.notes.last();
  }

  note(chat: string, text: string): void {
    this.notes.add(chat, text);
  }

  retry(item: Unsent): void {
    this.boxOf(item.ref)?.retry(item.ref);
  }

  /** Out of the outbox, the writer has it back. False when it may have reached the server by now. */
  takeBack({ ref }: Unsent): boolean {
    const item = [...this.replies.all, ...this.notes.all].find((i) => i.ref === ref);
    if (!item || (!item.failed && !this.undo.holds(ref))) return false;
    this.boxOf(ref)?.remove(ref);
    this.undo.release([ref]);
    return true;
  }

  async setAvailability(online: boolean): Promise<void> {
    const reply = await this.questions.ask({ type: "set_availability", online }, "status");
    if (reply) this.become(st.availability(this.state.peek(), online));
  }

  /** Shows the chat, unless the operator has turned to another one while the answer was on its way. */
  async accept(chat: string): Promise<boolean> {
    const before = this.state.peek().open;
    const reply = await this.questions.ask({ type: "accept_chat", chat }, chat, {
      chat_already_taken: say.refused.takenFirst,
      not_found: say.refused.waitsNoMore,
      chat_closed: say.refused.ended,
    });
    const stayed = this.state.peek().open === before && !this.around.writing?.();
    if (reply && stayed) this.show(chat);
    return reply !== null && stayed;
  }

  async transfer(chat: string, to: { department: string } | { operator: string }): Promise<boolean> {
    await this.undo.settle(chat);
    return (await this.questions.ask({ type: "transfer_chat", chat, ...to }, chat)) !== null;
  }

  async end(chat: string): Promise<boolean> {
    await this.undo.settle(chat);
    return (await this.questions.ask({ type: "end_chat", chat }, chat)) !== null;
  }

  /** The visitor is under 18: `chat_erased` takes the chat from the screen. */
  async reportMinor(chat: string): Promise<boolean> {
    return (await this.questions.ask({ type: "report_minor", chat }, chat)) !== null;
  }

  async loadEarlier(chat: string): Promise<void> {
    const before = st.find(this.state.peek(), chat)?.log[0]?.seq ?? 0;
    await this.questions.ask({ type: "load_messages", chat, before }, chat);
  }

  /** The operator pressed a key in a reply. Carries no text (B2-14). */
  typed(chat: string, text: string): void {
    this.typing.pressed(chat, text);
  }

  quiet(): void {
    this.typing.quiet();
  }

  /** What has come of an own deed of which the server tells only the others. */
  learn(frame: st.Frame): void {
    this.become(st.apply(this.state.peek(), frame));
  }

  /** Something changed about whether a person sees the conversation. */
  looked(): void {
    this.become(this.state.peek());
  }

  // --- what the server says ---------------------------------------------------------------------------

  private hear(frame: Wire): void {
    const before = this.state.peek();
    this.become(st.apply(before, frame));
    switch (frame.type) {
      case "operator_welcome":
        return this.welcomed(frame);
      case "ack":
        return this.acked(frame);
      case "failed":
        if (frame.ref) this.refused(frame.ref, frame.code, frame.retry_after_ms ?? 0);
        else if (frame.code === "rate_limited" && !frame.id) this.catchUp.askAgain(frame.chat ?? "", frame.retry_after_ms);
        return;
      case "chat_erased":
        if ((frame.version ?? 0) > before.version + 1) this.catchUp.soon(); // news of others were lost
        return this.erased(frame.chat, before);
      case "position":
        this.send({ type: "still_here" });
        return this.catchUp.compare(frame);
      case "synced":
        for (const uid of frame.erased ?? []) this.erased(uid, before);
        return this.catchUp.synced(frame);
      case "operator_changed":
      case "target_changed":
        if (frame.version > before.version + 1) this.catchUp.soon(); // other news of the team were lost
    }
  }

  private welcomed(frame: OperatorWelcome): void {
    this.belongTo(frame.me.uid);
    this.send({ type: "still_here" });
    this.marks.unheard();
    this.typing.forget();
    this.replies.reconnected();
    this.notes.reconnected();
    this.catchUp.welcomed();
    this.become(this.state.peek());
    this.dropOrphans();
  }

  /** Nor does what was begun to be written in it stay, in this tab or on its way. */
  private erased(uid: string, before: st.State): void {
    const seen = st.find(before, uid);
    this.dismiss(uid);
    if (seen && (seen.wasMine || st.isMine(before, seen) || before.open === uid)) this.around.tell(say.talk.erased);
  }

  /** What was begun in chats that went while this page was closed belongs nowhere any more: said once, then forgotten. */
  private dropOrphans(): void {
    for (const uid of this.drafts.chats) {
      if (st.find(this.state.peek(), uid)) continue;
      for (const text of this.drafts.texts(uid)) this.around.tell(say.talk.notSentHere(text));
      this.drafts.forget(uid);
    }
  }

  /** What another person kept in this tab is forgotten before anybody sees it. */
  belongTo(operator: string): void {
    const { box } = this.around;
    const before = box.get("operator");
    if (before === operator) return;
    if (before !== null) this.forget();
    box.set("operator", operator);
  }

  /** The sender of a message gets no event: its ack and the text that was kept are the event. */
  private acked({ ref, chat, seq, at }: Ack): void {
    const me = this.state.peek().me;
    const who = { operator: me?.uid ?? "", name: me?.name ?? "" };
    const reply = this.replies.all.find((i) => i.ref === ref);
    const note = this.notes.all.find((i) => i.ref === ref);
    let next = this.state.peek();
    if (reply) next = st.apply(next, { type: "message_posted", chat, seq, at, author: "operator", ref, text: reply.text, ...who });
    if (note) next = st.apply(next, { type: "note_added", chat, staff_seq: seq, at, ref, text: note.text, ...who });
    this.become(next);
    this.boxOf(ref)?.acked(ref);
  }

  private refused(ref: string, code: string, retryAfterMs: number): void {
    const outbox = this.boxOf(ref);
    const item = outbox?.all.find((i) => i.ref === ref);
    if (!outbox || !item) return;
    const again = code === "unavailable" ? Math.max(retryAfterMs, UNAVAILABLE_MS) : retryAfterMs;
    if (!again && !st.find(this.state.peek(), item.chat)) {
      this.around.tell(say.talk.notSentHere(item.text));
      outbox.remove(ref);
    } else outbox.refused(ref, code, again);
  }

  // --- what follows from a change ---------------------------------------------------------------------

  private become(next: st.State): void {
    const before = this.state.peek();
    const kept = st.tidied(next, (uid) => this.holdsWords(uid));
    this.state.value = this.around.looking() && kept.open ? readAll(kept) : kept;
    this.dropKnown();
    this.catchUp.watchGaps();
    this.marks.soon();
    for (const chat of next.chats.values()) {
      if (chat.left === "ended" && before.chats.get(chat.uid)?.left !== "ended") this.drafts.ended(chat.uid);
    }
  }

  private holdsWords(uid: string): boolean {
    return this.drafts.holds(uid) || [this.replies, this.notes].some((box) => box.of(uid).length > 0);
  }

  /** A row of ours may come back by another way than its ack. */
  private dropKnown(): void {
    const drop = (box: Outbox, rows: (chat: st.Chat) => readonly { readonly ref?: string }[]) => {
      for (const { chat: uid, ref } of box.all) {
        const chat = st.find(this.state.peek(), uid);
        if (chat && rows(chat).some((row) => row.ref === ref)) box.acked(ref);
      }
    };
    drop(this.replies, (chat) => chat.log);
    drop(this.notes, (chat) => chat.notes);
  }

  private boxOf(ref: string): Outbox | undefined {
    return [this.replies, this.notes].find((box) => box.all.some((i) => i.ref === ref));
  }

  private send(command: Command): boolean {
    return this.connection.send(command);
  }
}

function readAll(state: st.State): st.State {
  const chat = state.chats.get(state.open);
  return chat && st.isMine(state, chat) ? st.readHere(state, chat.uid, chat.seq) : state;
}
