/** Notifications of the desktop: one for each chat, which another tab's replaces and an answer takes away. */
import { signal } from "@preact/signals";

/** "none": this browser has no notifications. */
export type Permission = NotificationPermission | "none";

export class Notices {
  readonly permission = signal<Permission>("none");
  private shown = new Map<string, Notification>();

  /** `open` shows the chat of a notification that was pressed. */
  constructor(
    private open: (chat: string) => void,
    private api: typeof Notification | undefined = globalThis.Notification,
    private worker: ServiceWorkerContainer | undefined = globalThis.navigator?.serviceWorker,
  ) {
    this.look();
    // what the person changes in the browser's settings is heard at once where the browser tells it
    void globalThis.navigator?.permissions
      ?.query({ name: "notifications" })
      .then((status) => (status.onchange = () => this.look()))
      .catch(() => undefined); // then it is looked at when the window comes to the front
    this.worker?.addEventListener("message", ({ data }) => {
      if (typeof data?.show === "string") this.open(data.show);
    });
  }

  look(): void {
    this.permission.value = this.api?.permission ?? "none";
  }

  /** Call this where somebody has pressed something. */
  async ask(): Promise<void> {
    await this.api?.requestPermission();
    this.look();
  }

  show(chat: string, title: string, body: string): void {
    if (this.permission.peek() !== "granted" || !this.api) return;
    const options = { tag: chat, body, icon: "/static/img/app-192.png", lang: document.documentElement.lang };
    try {
      const notice = new this.api(title, options);
      notice.onclick = () => {
        window.focus();
        this.open(chat);
        notice.close();
      };
      this.shown.set(chat, notice);
    } catch {
      // phones show those of a service worker only
      void this.worker?.ready.then((registration) => registration.showNotification(title, { ...options, data: chat })).catch(() => undefined); // taken back meanwhile
    }
  }

  /** Takes away those of chats that call no more. */
  keep(chats: ReadonlySet<string>): void {
    for (const [chat, notice] of this.shown) {
      if (chats.has(chat)) continue;
      notice.close();
      this.shown.delete(chat);
    }
    void this.worker?.getRegistration?.().then(async (registration) => {
      for (const notice of (await registration?.getNotifications()) ?? []) if (!chats.has(notice.tag)) notice.close();
    }).catch(() => undefined); // then the person puts them away
  }
}
