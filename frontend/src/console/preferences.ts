/** What an operator has chosen for themselves in this browser; it outlives log-out and is shared by all tabs. */
import { signal } from "@preact/signals";
import type { Box } from "../wire/storage.ts";

export const UNDO_CHOICES = [0, 3, 5, 10] as const;
const LOUD = 70;

export class Preferences {
  readonly muted = signal(false);
  /** 5 to 100. */
  readonly volume = signal(LOUD);
  readonly notify = signal(true);
  /** Names and first words in notifications. Off as it comes: a screen may be seen by others. */
  readonly detail = signal(false);
  /** Seconds for which a reply may be taken back, one of UNDO_CHOICES. */
  readonly undo = signal<number>(0);
  /** Whether rows stand close together, so that more of them are seen at once. */
  readonly compact = signal(false);
  /** Which hints were put away, "" for none. */
  readonly putAway = signal("");

  /** `operator` keeps those apart who share a browser. */
  constructor(private box: Box, private operator: string) {
    this.read();
  }

  /** Another tab may have changed something. */
  read(): void {
    const volume = Number(this.get("volume") ?? LOUD);
    const undo = Number(this.get("undo"));
    this.muted.value = this.get("muted") === "1";
    this.volume.value = volume >= 5 && volume <= 100 ? volume : LOUD;
    this.notify.value = this.get("notify") !== "0";
    this.detail.value = this.get("detail") === "1";
    this.undo.value = UNDO_CHOICES.find((n) => n === undo) ?? 0;
    this.compact.value = this.get("compact") === "1";
    this.putAway.value = this.get("hints") ?? "";
  }

  mute(on: boolean): void {
    this.set("muted", on ? "1" : null);
  }

  loudness(volume: number): void {
    this.set("volume", String(volume));
  }

  notifyOfNews(on: boolean): void {
    this.set("notify", on ? null : "0");
  }

  tellDetails(on: boolean): void {
    this.set("detail", on ? "1" : null);
  }

  undoFor(seconds: number): void {
    this.set("undo", seconds ? String(seconds) : null);
  }

  closeTogether(on: boolean): void {
    this.set("compact", on ? "1" : null);
  }

  hide(hints: string): void {
    this.set("hints", hints);
  }

  private get(name: string): string | null {
    return this.box.get(`${this.operator}.${name}`);
  }

  private set(name: string, value: string | null): void {
    this.box.set(`${this.operator}.${name}`, value);
    this.read();
  }
}
