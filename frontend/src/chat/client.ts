/** One visitor's chat: the socket, the reducer, the outbox and the marks, put together. Draws nothing. */
import { Connection, type LinkState, QUIET_IN_CHAT_MS, QUIET_MS } from "../wire/connection.ts";
import { Sequence } from "../wire/gaps.ts";
import { isMessage } from "../wire/log.ts";
import { Outbox, type Unsent } from "../wire/outbox.ts";
import { poll } from "../wire/polls.ts";
import { reloadOnce, understood } from "../wire/renewal.ts";
import {
  CLOSE_CODES, type Failed, type LeaveMessage, PROTOCOL, type PublicRow, type Reply, type StartChat, type VisitorEvent, type VisitorWelcome,
} from "../wire/protocol.ts";
import type { Box } from "../wire/storage.ts";
import { uuid7 } from "../wire/uuid7.ts";
import { type Answer, answered, BEHIND, waitFor } from "./answers.ts";
import type { Page } from "./bridge.ts";
import { apply, type ChatState, type Incoming, isOpen, marked, marksSum, NOTHING, unreadCount } from "./state.ts";
import { t } from "./strings.ts";
import { Value } from "./value.ts";

type Inbound = VisitorEvent | Reply;

const MARK_MS = 400;
const TYPING_AGAIN_MS = 3_000;
const TYPING_FORGOTTEN_MS = 6_000;

/** Answers without news, and what is not for us. A frame that the server learns to send and that is handled
 * nowhere fails `tsc`. */
type Unheard = "done" | "survey_offered" | "privacy_link" | "earlier" | "pong" | "page_welcome" | "operator_welcome" | "synced";

export class ChatClient {
  readonly state = new Value<ChatState>(NOTHING);
  readonly unsent = new Value<readonly Unsent[]>([]);
  readonly link = new Value<LinkState>("idle");
  readonly stoppedBy = new Value(0);
  /** False where neither cookie nor storage is kept: a reload loses the chat. */
  readonly kept = new Value(true);
  readonly shown = new Value(false);
  /** Whether she wants no sound; null while there is none (sound.ts). */
  readonly muted = new Value<boolean | null>(null);
  /** What is being written. In the tab's storage while a chat is open, in memory only after it has ended. */
  readonly draft = new Value("");
  /** What she said of herself when she began, in memory only: nobody asks for it twice. */
  given: Readonly<Record<string, string>> = {};

  private dialled: Connection<Inbound>;
  private rows = new Sequence<PublicRow>(0, (r) => this.absorb(r), () => this.resume());
  private outbox: Outbox;
  private pendingStart: StartChat | null = null;
  private secondTicket = true;
  private markTimer: ReturnType<typeof setTimeout> | undefined;
  private typingTimer: ReturnType<typeof setTimeout> | undefined;
  private typingSaidAt = 0;
  private told: { unread: number; open: boolean | null } = { unread: -1, open: null };

  constructor(private site: string, readonly box: Box, readonly bridge: Page, page: Window, url: string) {
    this.outbox = new Outbox(box, (i) => this.post(i), () => (this.unsent.value = this.outbox.all));
    this.unsent.value = this.outbox.all;
    this.draft.value = box.get("draft") ?? "";
    this.dialled = new Connection<Inbound>({
      url,
      hello: () => this.hello(),
      isWelcome: (f) => f.type === "visitor_welcome",
      onFrame: (f) => this.hear(f),
      onState: (s, code) => this.linkBecame(s, code),
      quietMs: () => (this.shown.value && isOpen(this.state.value.chat) && page.document.visibilityState === "visible" ? QUIET_IN_CHAT_MS : QUIET_MS),
      page,
      document: page.document,
      poll: () => poll(url, () => this.at()),
      box,
    });
    page.document.addEventListener("visibilitychange", () => this.noteRead());
    page.addEventListener("pagehide", (e) => {
      this.dialled.send({ type: "leave_page" });
      if ((e as PageTransitionEvent).persisted) this.dialled.rest();
    });
  }

  start(): void {
    this.dialled.start();
  }

  /** The panel was opened or put away. */
  show(open: boolean): void {
    this.shown.value = open;
    this.noteRead();
  }

  /** The same form sent again after a lost connection starts the same chat, not a second one. */
  async startChat(form: Pick<StartChat, "department" | "fields" | "notice">): Promise<Answer> {
    this.pendingStart = { type: "start_chat", ref: this.pendingStart?.ref ?? uuid7(), ...form };
    const answer = await this.question(this.pendingStart);
    if (answer.ok || answer.code !== "offline") this.pendingStart = null;
    if (answer.ok) this.given = form.fields ?? {};
    if (!answer.ok && answer.code === "nobody_online") this.whoLeft(form.department ?? "");
    return this.catchUp(answer);
  }

  leaveMessage(form: Omit<LeaveMessage, "type" | "id">): Promise<Answer> {
    return this.command({ type: "leave_message", ...form });
  }

  endChat(): Promise<Answer> {
    this.stopTyping();
    return this.command({ type: "end_chat", chat: this.state.value.chat?.uid ?? "" });
  }

  /** Any command whose answer is `done`; for the parts that are fetched later, too. */
  command = async (told: object): Promise<Answer> => this.catchUp(await this.question(told));

  /** The visitor asks for another try after a refusal. */
  again(): void {
    this.stoppedBy.value = 0;
    this.secondTicket = true;
    this.dialled.start();
  }

  /** By how many milliseconds this machine's clock is behind the server's. */
  get skew(): number {
    return this.dialled.skew;
  }

  loadOlder(): Promise<Answer> {
    const { chat } = this.state.value;
    return this.question({ type: "load_messages", chat: chat?.uid ?? "", before: chat?.log?.[0]?.seq ?? 0 });
  }

  write(text: string): void {
    this.draft.value = text;
    this.keepDraft();
  }

  send(text: string): void {
    const { chat } = this.state.value;
    if (!isOpen(chat)) return;
    this.typingSaidAt = 0; // the message itself ends the typing sign on the other side
    this.outbox.add(chat.uid, text);
    this.write("");
  }

  retry(ref: string): void {
    this.outbox.retry(ref);
  }

  /** Takes an unsent message back: its text stands before what is being written. */
  takeBack(ref: string): void {
    const item = this.outbox.all.find((i) => i.ref === ref);
    if (!item) return;
    this.write([item.text, this.draft.value].filter(Boolean).join("\n"));
    this.outbox.remove(ref);
  }

  /** Tells that something is being written, never what (B2-14). */
  typing(): void {
    const { chat } = this.state.value;
    if (chat?.state !== "active" || Date.now() - this.typingSaidAt < TYPING_AGAIN_MS) return;
    this.typingSaidAt = Date.now();
    this.dialled.send({ type: "set_typing", chat: chat.uid, on: true });
  }

  stopTyping(): void {
    const { chat } = this.state.value;
    if (!this.typingSaidAt || !chat) return;
    this.typingSaidAt = 0;
    this.dialled.send({ type: "set_typing", chat: chat.uid, on: false });
  }

  /** Leaves an ended chat, so that the form for a new one is shown. What was not sent becomes the draft. */
  newChat(): void {
    this.box.set("left", this.state.value.chat?.uid ?? null);
    const late = this.outbox.all.map((i) => i.text);
    this.outbox.clear();
    this.set({ ...this.state.value, chat: null, typing: false });
    this.write([...late, this.draft.value].filter(Boolean).join("\n"));
    this.rows.restart(0);
  }

  private async hello(): Promise<object> {
    const { ticket, origin, browser, url } = await this.bridge.admission();
    const session = this.box.get("session") ?? "";
    return { type: "hello", protocol: PROTOCOL, role: "chat", site: this.site, ticket, embedder: origin, session, browser, page_url: url, language: t.lang };
  }

  /** What we have, for a poll (docs/protocol.md). */
  private at(): object {
    const { chat, epoch, site } = this.state.value;
    const online = site?.online ?? [];
    if (!chat) return { epoch, online };
    const { visitor_delivered: a = 0, visitor_read: b = 0, operator_delivered: c = 0, operator_read: d = 0 } = chat.marks;
    return { chat: chat.uid, seq: chat.seq, marks: [a, b, c, d], place: chat.position ?? 0, epoch, online };
  }

  private linkBecame(link: LinkState, code: number): void {
    this.link.value = link;
    if (link === "online") {
      this.secondTicket = true;
      understood();
    }
    if (code === CLOSE_CODES.MINOR) location.search += "&closed"; // the server says the words
    if (link !== "stopped" || (code === CLOSE_CODES.PROTOCOL_NOT_SPOKEN && reloadOnce())) return;
    if (code === CLOSE_CODES.FORBIDDEN && this.secondTicket) {
      this.secondTicket = false; // a ticket may have grown old on its way
      this.dialled.start();
    } else this.stoppedBy.value = code;
  }

  private hear(frame: Inbound): void {
    switch (frame.type) {
      case "visitor_welcome":
        if (frame.session) this.box.set("session", frame.session);
        this.kept.value = frame.cookie === true || this.box.kept;
        this.absorb(frame.chat && frame.chat.uid === this.box.get("left") && !isOpen(frame.chat) ? without(frame) : frame);
        this.dialled.send({ type: "still_here" });
        this.afterSnapshot();
        this.outbox.reconnected();
        break;
      case "ack":
        this.landed(frame.ref, frame.chat, frame.seq, frame.at);
        break;
      case "failed":
        if (frame.ref) this.refused(frame);
        else if (frame.code === "rate_limited" && !frame.id) setTimeout(() => this.resume(), frame.retry_after_ms ?? 2_000);
        break;
      case "resumed":
        for (const row of frame.log) this.rows.take(row);
        break;
      case "position":
        this.dialled.send({ type: "still_here" });
        if (frame.chat === this.state.value.chat?.uid) this.compare(frame.seq ?? 0, frame.marks ?? 0, frame.epoch ?? "");
        else if (frame.chat && !isOpen(this.state.value.chat) && frame.chat !== this.box.get("left")) this.fetch(frame.chat);
        break;
      case "started":
      case "chat_started": {
        const news = frame.chat.uid !== this.state.value.chat?.uid;
        this.absorb(frame);
        this.afterSnapshot();
        if (news) this.tellPage("chat_started", { at: frame.chat.started_at });
        break;
      }
      case "reset":
        this.absorb(frame);
        this.afterSnapshot();
        break;
      case "chat_opened":
      case "message_posted":
      case "message_edited":
      case "message_deleted":
      case "chat_accepted":
      case "chat_transferred":
      case "chat_returned":
      case "chat_closed":
        if (frame.chat === this.state.value.chat?.uid) this.rows.take(frame);
        break;
      case "chat_erased":
        this.newChat(); // all of a visitor's are erased together
        this.write("");
        this.dialled.renew(); // is she to be here still?
        break;
      case "messages":
      case "marks_changed":
      case "typing_changed":
      case "queue_moved":
      case "availability_changed":
        this.absorb(frame);
        break;
      default:
        frame satisfies { type: Unheard }; // a newer server may say more than we understand
    }
  }

  private absorb(frame: Incoming): void {
    const before = this.state.value;
    this.set(apply(before, frame));
    if (frame.type === "typing_changed") {
      clearTimeout(this.typingTimer);
      if (frame.on) this.typingTimer = setTimeout(() => this.set({ ...this.state.value, typing: false }), TYPING_FORGOTTEN_MS);
    }
    if (!("seq" in frame) || this.state.value === before) return;
    if (isMessage(frame)) {
      if (frame.author === "visitor" && frame.ref) this.outbox.acked(frame.ref);
      this.tellPage("message", { author: frame.author, at: frame.at });
    }
    if (frame.type === "chat_closed") this.tellPage("chat_ended", { reason: frame.reason });
    this.noteRead();
  }

  /** A whole chat was taken over: its log is the truth, and what it holds is no longer unsent. */
  private afterSnapshot(): void {
    const { chat } = this.state.value;
    this.rows.restart(chat?.seq ?? 0);
    for (const row of chat?.log ?? []) if (row.author === "visitor" && row.ref) this.outbox.acked(row.ref);
    this.noteRead();
  }

  /** Our own message is no event for us: its ack becomes its row. */
  private landed(ref: string, chat: string, seq: number, at: number): void {
    const item = this.outbox.all.find((i) => i.ref === ref);
    if (item && chat === this.state.value.chat?.uid) {
      this.rows.take({ type: "message_posted", chat, seq, at, author: "visitor", ref, text: item.text });
    }
    this.outbox.acked(ref);
  }

  private refused(f: Failed): void {
    const item = this.outbox.all.find((i) => i.ref === f.ref);
    this.outbox.refused(f.ref!, f.code, waitFor(f));
    const elsewhere = item && item.chat !== this.state.value.chat?.uid;
    if (elsewhere && (f.code === "chat_closed" || f.code === "not_found")) this.toDraft(item);
  }

  private toDraft(item: Unsent): void {
    this.write([this.draft.value, item.text].filter(Boolean).join("\n"));
    this.outbox.remove(item.ref);
  }

  private keepDraft(): void {
    const { chat } = this.state.value;
    this.box.set("draft", chat && !isOpen(chat) ? null : this.draft.value || null);
  }

  /** What the server refuses because we are behind is no fault of the visitor's: learn what it knows now. */
  private catchUp(answer: Answer): Answer {
    if (!answer.ok && BEHIND.has(answer.code)) this.dialled.renew();
    return answer;
  }

  private whoLeft(department: string): void {
    const online = this.state.value.site?.online.filter((d) => department && d !== department) ?? [];
    this.absorb({ type: "availability_changed", online });
  }

  private compare(seq: number, marks: number, epoch: string): void {
    const { chat, epoch: ours } = this.state.value;
    if (!chat) return;
    if (epoch !== ours || (seq === chat.seq && marks !== marksSum(chat.marks))) this.resume();
    else this.rows.expect(seq);
  }

  private resume(): void {
    const { chat, epoch } = this.state.value;
    if (chat) this.dialled.send({ type: "resume", chat: chat.uid, after: chat.seq, epoch }, true);
  }

  /** A chat of ours that we have never heard of, whole: no epoch is its own, so the answer is `reset`. */
  private fetch(uid: string): void {
    this.dialled.send({ type: "resume", chat: uid, after: 0, epoch: "" }, true);
  }

  private post(item: Unsent): boolean {
    return this.dialled.send({ type: "send_message", chat: item.chat, ref: item.ref, text: item.text }, true);
  }

  private question(command: object): Promise<Answer> {
    return answered((told) => this.dialled.ask(told), command);
  }

  /** Delivered is what is here; read is what is here while the panel is open in a visible tab. */
  private noteRead(): void {
    this.markTimer ??= setTimeout(() => {
      this.markTimer = undefined;
      const { chat } = this.state.value;
      if (!chat) return;
      const had = { delivered: chat.marks.visitor_delivered ?? 0, read: chat.marks.visitor_read ?? 0 };
      const read = this.shown.value && document.visibilityState === "visible" ? chat.seq : had.read;
      if (chat.seq <= had.delivered && read <= had.read) return;
      if (!this.dialled.send({ type: "mark", chat: chat.uid, delivered: chat.seq, read })) return;
      this.set(marked(this.state.value, chat.seq, read));
    }, MARK_MS);
  }

  private set(next: ChatState): void {
    this.state.value = next;
    const unread = unreadCount(next.chat);
    const open = isOpen(next.chat);
    if (unread !== this.told.unread) this.bridge.tell({ chatlead: 1, type: "unread", count: unread, text: unread ? t.unread(unread) : "" });
    if (open !== this.told.open) {
      this.bridge.tell({ chatlead: 1, type: "chat", open });
      this.keepDraft();
      if (open || this.told.open) this.box.set("form", null); // the server has what she filled in, or it is over
    }
    this.told = { unread, open };
  }

  private tellPage(name: "chat_started" | "message" | "chat_ended", detail: Record<string, string | number>): void {
    this.bridge.tell({ chatlead: 1, type: "event", name, detail });
  }
}

/** An ended chat that its visitor has left stays left, though the server still shows it. */
function without(welcome: VisitorWelcome): VisitorWelcome {
  const { chat: _, ...rest } = welcome;
  return rest;
}
