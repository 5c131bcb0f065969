/** The title that counts what waits, and a short sound for somebody new. */
import type { Box } from "../wire/storage.ts";
import { mine, type State, unread, waiting } from "./state.ts";

/** How many things want the operator: people who wait and messages unread. */
export function wanting(state: State): number {
  return waiting(state).length + mine(state).reduce((n, c) => n + (c.left ? 0 : unread(c)), 0);
}

export function titleOf(state: State): string {
  const n = wanting(state);
  return n ? `(${n}) ChatLead` : "ChatLead";
}

export class Bell {
  private audio: AudioContext | null = null;

  /** `box` keeps only whether it is muted. */
  constructor(private box: Box) {}

  get muted(): boolean {
    return this.box.get("muted") === "1";
  }

  set muted(on: boolean) {
    this.box.set("muted", on ? "1" : null);
  }

  /** Browsers let a page make a sound only after a gesture: call this in one. */
  allow(): void {
    try {
      this.audio ??= new AudioContext();
      void this.audio.resume();
    } catch {
      this.audio = null; // no sound device or no API: the title and the list still tell
    }
  }

  /** Two soft notes, a third apart. */
  ring(): void {
    const audio = this.audio;
    if (this.muted || audio?.state !== "running") return;
    [660, 830].forEach((hertz, i) => {
      const at = audio.currentTime + i * 0.16;
      const tone = audio.createOscillator();
      const loudness = audio.createGain();
      tone.type = "sine";
      tone.frequency.value = hertz;
      loudness.gain.setValueAtTime(0, at);
      loudness.gain.linearRampToValueAtTime(0.14, at + 0.02);
      loudness.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
      tone.connect(loudness).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.55);
    });
  }
}
