/**
 * That a console knows what the server knows (docs/protocol.md): holes in a log are waited for and asked for,
 * positions compared, differences fetched. What a line loses is found here.
 */
import { HOLD_MS } from "../wire/gaps.ts";
import type { Position, Synced } from "../wire/protocol.ts";
import { digest, held, positions } from "./digest.ts";
import type { Marks } from "./marks.ts";
import type { Command } from "./questions.ts";
import * as st from "./state.ts";

const SYNC_AGAIN_MS = 1_000;

export class CatchUp {
  private holds = new Map<string, ReturnType<typeof setTimeout>>();
  private syncTimer: ReturnType<typeof setTimeout> | undefined;
  private disagreements = 0;

  /** `anew` begins with another line, where nothing else helps. */
  constructor(
    private state: () => st.State,
    private send: (command: Command) => boolean,
    private marks: Marks,
    private anew: () => void,
  ) {}

  /** A new line, and with it a new snapshot. */
  welcomed(): void {
    this.disagreements = 0;
    this.askWhatBecame();
    if ([...this.state().chats.values()].some((c) => c.left)) this.sync(); // nothing else tells that it was erased meanwhile
  }

  /** What ended unheard is in no snapshot and no list of differences: its last rows are asked for. */
  private askWhatBecame(): void {
    for (const chat of this.state().chats.values()) if (chat.left === "gone") this.resume(chat);
  }

  /** With where the server says that we ought to be. */
  compare(theirs: Position): void {
    const ours = this.state();
    if (st.incomplete(ours).length) return; // resume is under way
    const same = theirs.digest === digest(ours) && theirs.version === ours.version && theirs.epoch === ours.epoch;
    const canned = !ours.canned || (theirs.canned_version ?? 0) === ours.cannedVersion;
    if (!same || !canned) this.sync();
  }

  synced(theirs: Synced): void {
    this.askWhatBecame();
    if (theirs.digest === digest(this.state())) {
      this.disagreements = 0;
    } else if (++this.disagreements < 2) {
      this.soon(SYNC_AGAIN_MS); // something may just have happened between the two
    } else {
      this.disagreements = 0;
      this.anew();
    }
  }

  /** What we have, for a poll; with a hole in it, no digest is right. */
  at(): object {
    const ours = this.state();
    const whole = !st.incomplete(ours).length;
    const here = positions(ours);
    const away = [...ours.chats.values()].filter((c) => c.uid in here && c.presence !== "here");
    const gone = Object.fromEntries(away.map((c) => [c.uid, c.presence]));
    const canned = ours.canned ? { canned: ours.cannedVersion } : {}; // else the server does not know the word
    return { digest: whole ? digest(ours) : "", version: ours.version, positions: held(ours), gone, epoch: ours.epoch, ...canned };
  }

  private sync(): void {
    const ours = this.state();
    this.send({ type: "sync", positions: held(ours), epoch: ours.epoch });
  }

  /** Catching up was too fast for the server: what we do not know yet, and what it has not heard, once more. */
  askAgain(uid: string, ms: number = SYNC_AGAIN_MS): void {
    if (this.holds.has(`again ${uid}`)) return;
    const again = () => {
      this.holds.delete(`again ${uid}`);
      const chat = st.find(this.state(), uid);
      if (chat) {
        this.resume(chat);
        this.marks.unheard(uid);
        this.marks.soon();
      } else this.sync();
    };
    this.holds.set(`again ${uid}`, setTimeout(again, ms));
  }

  /** What another frame would bring by itself is waited for. */
  soon(ms: number = HOLD_MS): void {
    clearTimeout(this.syncTimer);
    this.syncTimer = setTimeout(() => this.sync(), ms);
  }

  watchGaps(): void {
    for (const { uid } of st.incomplete(this.state())) {
      if (this.holds.has(uid)) continue;
      const look = () => {
        this.holds.delete(uid);
        const chat = st.incomplete(this.state()).find((c) => c.uid === uid);
        if (!chat) return;
        this.resume(chat);
        this.holds.set(uid, setTimeout(look, HOLD_MS * 10)); // the answer may be lost as well
      };
      this.holds.set(uid, setTimeout(look, HOLD_MS));
    }
  }

  private resume({ uid, seq, staffSeq }: st.Chat): void {
    this.send({ type: "resume", chat: uid, after: seq, staff_after: staffSeq, epoch: this.state().epoch });
  }
}
