/** What the console would like to have of a browser and does not find, and how to get it. */
import { say } from "./strings.ts";

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
      name: say.needs.socket,
      text: say.needs.socketText,
    });
  }
  if (!browser.isSecureContext) {
    needs.push({ name: say.needs.secure, text: say.needs.secureText });
  }
  if (!kept) {
    needs.push({
      name: say.needs.storage,
      text: say.needs.storageText,
    });
  }
  if (browser.Notification === undefined) {
    needs.push({
      name: say.needs.notices,
      text: say.needs.noticesText,
    });
  }
  return needs;
}
