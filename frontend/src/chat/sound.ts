/**
 * A soft sound for an answer that nobody sees come: the panel is put away, or another tab is looked at. Of
 * several tabs of one visitor one sounds, and none while she looks at one of them. A part of its own, fetched
 * when a chat goes on (parts.ts).
 */
import { Box } from "../wire/storage.ts";
import type { ChatClient } from "./client.ts";

/** For so long, and up to as long again, a tab waits whether another one has seen the message, or sounds for it. */
const OTHERS_MS = 150;
/** Of many messages in a row not each sounds. */
const REST_MS = 2_000;
/** A browser that lets a page sound does it at once; one that does not says nothing. */
const ANSWER_MS = 300;
const NOTES = [740, 988]; // Hz, a fourth apart
const NOTE_SECONDS = 0.14;

/** From now on. `muted` of the client is null until then, and what the visitor wants afterwards. */
export function listen(site: string, { state, shown, muted }: Pick<ChatClient, "state" | "shown" | "muted">): void {
  const box = new Box(() => localStorage, `chatlead:${site}`); // memory, where the browser keeps nothing
  const name = `chatlead:${site}:sound`;
  const channel = opened(name);
  const speaker = new Speaker();
  const wanted = () => (muted.value = box.get("muted") === "1");
  wanted();
  muted.watch(() => box.set("muted", muted.value ? "1" : null));
  addEventListener("storage", wanted); // she has said so in another tab

  let now = newest();
  let told = { chat: "", seq: 0 }; // the newest that some tab has shown or sounded for
  const tell = (news: typeof told) => {
    told = news;
    channel?.postMessage(news);
  };
  if (channel) channel.onmessage = (e) => (told = e.data as typeof told);

  state.watch(() => {
    const news = newest();
    if (news.chat !== now.chat || news.seq <= now.seq) {
      if (news.chat !== now.chat) now = news; // what was there when we came to it is no news
      return;
    }
    now = news;
    if (isSeen()) tell(news);
    else setTimeout(() => void ring(news), OTHERS_MS * (1 + Math.random()));
  });

  function newest() {
    const { chat } = state.value;
    return { chat: chat?.uid ?? "", seq: chat?.log?.findLast((r) => r.type === "message_posted" && r.author === "operator")?.seq ?? 0 };
  }

  function isSeen(): boolean {
    return shown.value && document.visibilityState === "visible";
  }

  /** Two tabs that get here in one moment ask for one lock; a browser without locks has what they tell each other. */
  async function ring(news: typeof told): Promise<void> {
    const mine = () => {
      if (told.chat === news.chat && told.seq >= news.seq) return;
      tell(news);
      speaker.ring();
      return pause(OTHERS_MS);
    };
    if (muted.value || isSeen() || !(await speaker.isAllowed())) return;
    const { locks } = navigator as { locks?: LockManager }; // only where the line is secure
    if (!locks) void mine();
    else void locks.request(name, { ifAvailable: true }, (lock) => lock && mine()).catch(mine);
  }
}

/** Null where the browser has none for us: then each tab sounds. */
function opened(name: string): BroadcastChannel | null {
  try {
    return new BroadcastChannel(name);
  } catch {
    return null;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** Holds the loudspeaker only while it sounds. */
class Speaker {
  private audio: AudioContext | null = null;
  private rested = -REST_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    // a browser lets a page sound only after a gesture, and some only if it was asked for in one
    for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, () => void this.isAllowed(), { capture: true });
    if (navigator.userActivation?.hasBeenActive) void this.isAllowed();
  }

  /** Whether it may sound; the gesture may have been one on the page that embeds the chat. */
  async isAllowed(): Promise<boolean> {
    if (this.audio) return true;
    try {
      const audio = new AudioContext();
      await Promise.race([audio.resume(), pause(ANSWER_MS)]);
      if (audio.state !== "running" || this.audio) {
        void audio.close();
        return this.audio !== null;
      }
      this.audio = audio;
      if (!this.timer) void audio.suspend();
      return true;
    } catch {
      return false; // no device or no such thing: the count and the title still tell
    }
  }

  ring(): void {
    const audio = this.audio;
    if (!audio || performance.now() - this.rested < REST_MS) return;
    this.rested = performance.now();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void audio.suspend(), REST_MS);
    void audio.resume().then(() => {
      NOTES.forEach((hertz, i) => {
        const at = audio.currentTime + i * NOTE_SECONDS;
        const tone = audio.createOscillator();
        const loudness = audio.createGain();
        tone.frequency.value = hertz;
        loudness.gain.setValueAtTime(0, at);
        loudness.gain.linearRampToValueAtTime(0.1, at + 0.02);
        loudness.gain.exponentialRampToValueAtTime(0.001, at + 0.45);
        tone.connect(loudness).connect(audio.destination);
        tone.start(at);
        tone.stop(at + 0.5);
      });
    });
  }
}
