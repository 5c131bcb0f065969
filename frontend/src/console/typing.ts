/** The sign that an operator is writing. Carries no text (B2-14). */
const EVERY_MS = 3_000;
const IDLE_MS = 5_000;

export class Typing {
  private chat = "";
  private at = 0;
  private idle: ReturnType<typeof setTimeout> | undefined;

  /** `say` is false where it could not be sent; then the next key tries again. */
  constructor(private say: (chat: string, on: boolean) => boolean) {}

  /** A key was pressed in a reply, which is `text` now. */
  pressed(chat: string, text: string): void {
    if (!text) return this.quiet();
    const now = Date.now();
    if (this.chat !== chat || now - this.at >= EVERY_MS) {
      if (this.chat !== chat) this.quiet();
      if (this.say(chat, true)) Object.assign(this, { chat, at: now });
    }
    clearTimeout(this.idle);
    this.idle = setTimeout(() => this.quiet(), IDLE_MS);
  }

  quiet(): void {
    clearTimeout(this.idle);
    if (this.chat) this.say(this.chat, false);
    this.forget();
  }

  /** Nobody believes any more that the operator writes: there is nothing to take back. */
  forget(): void {
    this.chat = "";
    this.at = 0;
  }
}
