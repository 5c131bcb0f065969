/** How far a console and the person before it have come in each chat, told soon and only where it grew. */
import * as st from "./state.ts";

const SOON_MS = 150;

export interface Mark {
  readonly delivered: number;
  readonly read: number;
}

export class Marks {
  private told = new Map<string, Mark>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `tell` is false where it could not be sent; then it is told at the next change. */
  constructor(
    private state: () => st.State,
    private tell: (chat: string, mark: Mark) => boolean,
  ) {}

  soon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.now();
    }, SOON_MS);
  }

  /** The server may not have heard what was told before: of this chat, or of all. */
  unheard(chat?: string): void {
    if (chat === undefined) this.told.clear();
    else this.told.delete(chat);
  }

  /** Delivered is what this console has; read is what a person has looked at. */
  private now(): void {
    const state = this.state();
    for (const chat of st.mine(state)) {
      if (chat.left) continue;
      const told = this.told.get(chat.uid) ?? { delivered: chat.marks.operator_delivered, read: chat.marks.operator_read };
      const mark = { delivered: chat.seq, read: Math.max(chat.readHere, chat.marks.operator_read) };
      if (mark.delivered <= told.delivered && mark.read <= told.read) continue;
      if (this.tell(chat.uid, mark)) this.told.set(chat.uid, mark);
    }
  }
}
