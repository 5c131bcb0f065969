/** What the console would like to have of a browser and does not find, and how to get it. */

export interface Need {
  /** What is missing, what that means, and what to do. */
  name: string;
  text: string;
}

export interface Browser {
  isSecureContext: boolean;
  Notification?: unknown;
}

export function lacking(browser: Browser, { polls, kept }: { polls: boolean; kept: boolean }): Need[] {
  const needs: Need[] = [];
  if (polls) {
    needs.push({
      name: "WebSocket",
      text: "this browser or the network lets no live connection through. The console works all the same, by asking again and again. "
        + "To get one, use a current Firefox, Chrome, Edge or Safari, and ask whoever runs the network to let WebSockets to this address pass.",
    });
  }
  if (!browser.isSecureContext) {
    needs.push({ name: "Secure connection", text: "this page came over plain http, so anybody on the way can read along. Open the console by its https address." });
  }
  if (!kept) {
    needs.push({
      name: "Storage",
      text: "what you are writing is lost when this page is reloaded. Allow this address to keep site data, and leave private windows that forbid it.",
    });
  }
  if (browser.Notification === undefined) {
    needs.push({
      name: "Notifications",
      text: "this browser has none, so keep the console in sight or its sound on. A current Firefox, Chrome, Edge or Safari has them; on an iPhone, add the console to the home screen.",
    });
  }
  return needs;
}
