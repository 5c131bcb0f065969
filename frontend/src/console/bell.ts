/** The sound of the console. Browsers let a page be heard only after a gesture, so it may be silenced. */
import { signal } from "@preact/signals";

/** "waits" repeats until somebody sees to it; "wrote" is softer and comes once. */
export type Ring = "waits" | "wrote";
/** "blocked": nobody has pressed anything in this page yet. "refused": somebody has, and it is silent still. */
export type Voice = "unknown" | "ready" | "blocked" | "refused";

const SLOW_START_MS = 800;
const NOTES: Record<Ring, readonly number[]> = { waits: [660, 830, 990, 830], wrote: [590, 740] };
const LOUDEST: Record<Ring, number> = { waits: 0.5, wrote: 0.22 };

export class Bell {
  readonly voice = signal<Voice>("unknown");
  private audio: AudioContext | null = null;
  private asked = false;

  /** `volume` is 0 to 100, `make` throws where there is no sound. */
  constructor(
    private volume: () => number,
    private make: () => AudioContext = () => new AudioContext(),
  ) {}

  /** Tries whether it may be heard already: where one came from the log-in page, or the app is installed. */
  listen(): void {
    this.wake("blocked");
  }

  /** Somebody has pressed something: call this in that very event. */
  allow(): void {
    if (this.voice.peek() === "ready") return;
    this.asked = true;
    this.wake("refused");
  }

  /** Some soft notes. False where nobody can hear them. */
  ring(kind: Ring): boolean {
    const audio = this.audio;
    if (audio?.state !== "running") return false;
    const loud = LOUDEST[kind] * (this.volume() / 100) ** 2;
    NOTES[kind].forEach((hertz, i) => {
      const at = audio.currentTime + i * 0.18;
      const tone = audio.createOscillator();
      const loudness = audio.createGain();
      tone.type = "sine";
      tone.frequency.value = hertz;
      loudness.gain.setValueAtTime(0, at);
      loudness.gain.linearRampToValueAtTime(loud, at + 0.02);
      loudness.gain.exponentialRampToValueAtTime(0.001, at + 0.55);
      tone.connect(loudness).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.6);
    });
    return true;
  }

  private wake(otherwise: Voice): void {
    try {
      if (!this.audio) {
        this.audio = this.make();
        this.audio.onstatechange = () => this.look(this.asked ? "refused" : "blocked");
      }
      void this.audio.resume().catch(() => undefined); // what came of it is looked at below
    } catch {
      this.audio = null; // no sound device, or no API for it
    }
    if (this.audio?.state === "running") this.voice.value = "ready";
    else setTimeout(() => this.look(otherwise), SLOW_START_MS);
  }

  private look(otherwise: Voice): void {
    this.voice.value = this.audio?.state === "running" ? "ready" : otherwise;
  }
}
