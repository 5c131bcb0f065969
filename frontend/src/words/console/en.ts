/**
 * The console in English, from which every other language takes its shape: a word that one of them lacks
 * fails `tsc`. A name that is put in is shown as it comes (design/names.ts).
 */
import { counted } from "../numbers.ts";

export const lang = "en";

/** What calls for the operator: title, notification, and what stands in their way. */
export const alerts = {
  oneWaits: "A visitor is waiting",
  named: (name: string) => `${name} is waiting`,
  passedOn: "A chat was passed on to you",
  passedOnNamed: (name: string) => `The chat with ${name} was passed on to you`,
  newMessage: "A new message",
  messageOf: (name: string) => `${name} wrote`,
  open: "Open the console to answer.",
  silent: "Your browser keeps this page silent until you allow it, so you would not hear that somebody waits.",
  silentStill: "Your browser still keeps this page silent. Allow sound for this address in the site settings beside the address bar, check that the computer has a sound device, and reload the page.",
  unasked: "While another window is in front, nothing tells you that somebody waits until you allow notifications.",
  both: "Your browser allows neither sound nor notifications here yet, so you could miss that somebody waits.",
  denied: "Your browser blocks notifications for this address. Open the site settings beside the address bar, allow notifications, and this line goes away.",
  soundOn: "Turn sound on",
  allow: "Allow notifications",
  allowBoth: "Allow both",
  notNow: "Not now",
};

export const settings = {
  title: "Settings",
  open: "Settings",
  done: "Done",
  here: "They hold for you in this browser.",
  sound: "Sound when somebody waits or writes",
  volume: "Volume",
  try: "Listen",
  notify: "Notifications while another window is in front",
  notifyOff: "The browser does not allow them yet.",
  detail: "Show names and first words in notifications",
  detailHint: "Whoever sees your screen can read them. Without this they only say that a visitor is waiting.",
  undo: "Time to undo a reply",
  undoHint: "So long a reply is held back before it is sent.",
  undoOff: "Off, replies are sent at once",
  seconds: (n: number) => counted("en", n, { one: "# second", other: "# seconds" }),
  language: "Language",
  languageAuto: "As the browser asks for it",
};

/** Between two people. */
export const thread = {
  sendsIn: (n: number) => `Sends in ${counted("en", n, { one: "# second", other: "# seconds" })}`,
  undo: "Undo",
};

/** What the server's own pages of the console say. Plain strings: they travel as JSON. */
export const pages = {
  skip: "Skip to the content",
  main: "Main",
  console: "Console",
  about: "ChatLead, live chat on your own server",
  app: "ChatLead console",
  appText: "Answer the people on your website.",
  noScriptTitle: "The console needs JavaScript",
  noScript: "Chats arrive while the page is open. Please allow JavaScript for this address and reload the page.",
  logIn: "Log in",
  logInText: "Answer the people on your website.",
  email: "Email",
  password: "Password",
  required: "This field is required.",
  badEmail: "Enter a valid email address.",
  noMatch: "Email and password do not match. Please check both and try again.",
  tooMany: "Too many tries. Please wait ten minutes.",
  offline: "No connection",
  offlineText: "The console cannot be reached. Your device is offline, or the server is. What you were writing is kept in this tab and comes back with the console. Visitors who wait go on waiting, or are offered to leave a message.",
  offlineAgain: "This page tries again by itself every ten seconds.",
  tryNow: "Try now",
};
export type Pages = typeof pages;

export const words = { lang, alerts, settings, thread };
export type Words = typeof words;
