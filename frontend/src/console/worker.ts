/**
 * The service worker of the console, for /console/ alone. It keeps the built files of the shell, each under an
 * address that is made from its content, and one page without any data for when there is no network. What
 * anybody said, and every page with something of a person in it, comes from the server or not at all. As a page
 * names the files that it needs, an old worker cannot hold a new version back.
 */

/** The server writes it in front of this script (chatlead/console.py). */
declare const SHELL: { readonly version: string; readonly files: readonly string[]; readonly offline: string };

interface Later extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetched extends Later {
  readonly request: Request;
  readonly preloadResponse: Promise<Response | undefined>;
  respondWith(answer: Promise<Response>): void;
}
interface Pressed extends Later {
  readonly notification: Notification & { readonly data: unknown };
}
interface Window_ {
  readonly url: string;
  postMessage(message: unknown): void;
  focus(): Promise<unknown>;
}
interface Worker_ {
  addEventListener(type: "install" | "activate", hear: (e: Later) => void): void;
  addEventListener(type: "fetch", hear: (e: Fetched) => void): void;
  addEventListener(type: "notificationclick", hear: (e: Pressed) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void>; matchAll(options: object): Promise<Window_[]>; openWindow(url: string): Promise<unknown> };
  readonly registration: { readonly navigationPreload?: { enable(): Promise<void> } };
}
const worker = globalThis as unknown as Worker_;

const PREFIX = "chatlead-console-";
const NAME = PREFIX + SHELL.version;

worker.addEventListener("install", (e) => e.waitUntil(fill().then(() => worker.skipWaiting())));
worker.addEventListener("activate", (e) => e.waitUntil(begin()));
worker.addEventListener("fetch", (e) => {
  const { request } = e;
  if (request.method !== "GET") return;
  const { origin, pathname, search } = new URL(request.url);
  if (request.mode === "navigate") e.respondWith(page(e));
  else if (origin === location.origin && SHELL.files.includes(pathname + search)) e.respondWith(file(request));
});
worker.addEventListener("notificationclick", (e) => {
  e.notification.close();
  e.waitUntil(show(e.notification.data));
});

async function fill(): Promise<void> {
  const cache = await caches.open(NAME);
  for (const address of [...SHELL.files, SHELL.offline]) if (!(await cache.match(address))) await cache.add(address);
}

async function begin(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== NAME) await caches.delete(name);
  await worker.registration.navigationPreload?.enable();
  await worker.clients.claim();
}

/** From the network only. Without one: the page that says so. */
async function page(e: Fetched): Promise<Response> {
  try {
    return (await e.preloadResponse) ?? (await fetch(e.request));
  } catch (error) {
    const cache = await caches.open(NAME);
    const offline = await cache.match(SHELL.offline);
    if (offline) return offline;
    throw error;
  }
}

async function file(request: Request): Promise<Response> {
  const cache = await caches.open(NAME);
  return (await cache.match(request, { ignoreVary: true })) ?? fetch(request);
}

/** To the console that is open, with the chat of the notification; else to a new one. */
async function show(chat: unknown): Promise<void> {
  const windows = await worker.clients.matchAll({ type: "window" });
  const open = windows.find(({ url }) => new URL(url).pathname === "/console/");
  if (!open) return void (await worker.clients.openWindow("/console/"));
  open.postMessage({ show: chat });
  await open.focus();
}
