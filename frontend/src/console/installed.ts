/** The console as an app: its service worker comes with it, and goes when its operator logs out. */
const SCOPE = "/console/";

/** Without one everything works, but for the page that says that there is no network. */
export async function install(): Promise<void> {
  const script = `${SCOPE}worker.js?lang=${document.documentElement.lang}`; // its one page speaks it
  await navigator.serviceWorker?.register(script, { scope: SCOPE, updateViaCache: "none" }).catch(() => undefined);
}

/** Nothing of the console stays in the browser's caches. */
export async function uninstall(): Promise<void> {
  try {
    await (await navigator.serviceWorker?.getRegistration(SCOPE))?.unregister();
    for (const name of await caches.keys()) if (name.startsWith("chatlead-console-")) await caches.delete(name);
  } catch {
    // no caches here: then nothing is in them
  }
}
