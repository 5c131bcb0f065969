/** What the server's own pages of the console say, in English (chatlead/speech.py). Plain strings: they travel as JSON. */
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
