/**
 * The console in English, from which every other language takes its shape: a word that one of them lacks
 * fails `tsc`. A name that is put in is shown as it comes (design/names.ts).
 */
import type { ErrorCode } from "../../wire/protocol.ts";
import { counted, digits } from "../numbers.ts";

const LANG = "en";
const seconds = (n: number) => counted(LANG, n, { one: "# second", other: "# seconds" });

/** What calls for the operator: title, notification, and what stands in their way. */
const alerts = {
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

const settings = {
  title: "Settings",
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
  seconds,
  language: "Language",
  languageAuto: "As the browser asks for it",
};

/** People, and what they do. `you` stands where a name would. */
const who = {
  you: "You",
  visitor: (n: number) => `Visitor ${n}`,
  operator: "An operator",
  somebody: "Somebody else",
  online: "online",
  away: "away",
  notConnected: "not connected",
  team: (on: number, away: number) => (away ? `${on} online, ${away} away` : `${on} online`),
};

const times = {
  today: "Today",
  yesterday: "Yesterday",
  now: "now",
  minutesAgo: (n: number) => `${n} min`,
  hoursAgo: (n: number) => `${n} h`,
  daysAgo: (n: number) => `${n} d`,
  lessThanAMinute: "less than a minute",
  minutes: (n: number) => counted(LANG, n, { one: "# minute", other: "# minutes" }),
};

/** The frame around all, and what is wrong with the line. */
const app = {
  main: "Main",
  chats: "Chats",
  wanting: (n: number) => `${digits(LANG, n)} waiting or unread`,
  menuOf: (name: string) => `${name}, your menu`,
  logOut: "Log out",
  unsentYet: "A message is not sent yet and would be lost. Please log out when the connection is back.",
  online: "Online",
  away: "Away",
  onlineHint: "You are offered chats. Press to stop.",
  awayHint: "You are not offered chats. Press to start.",
  waitingNow: (n: number) => counted(LANG, n, { one: "# person is waiting", other: "# people are waiting" }),
  closeMessage: "Close message",
  ended: "The server ended the connection. Please reload the page.",
  trouble: "No connection. What you write is kept here and sent when it is back.",
  logInAgain: "Log in again",
  reload: "Reload",
  tryNow: "Try now",
  loggedOut: "You are logged out. What you were writing is kept in this tab.",
  forbidden: "Your log-in may not use the console any more. Please ask an administrator of your account.",
  newer: "There is a newer version of the console. Reload the page to get it.",
};

/** What a browser lacks: the name of it, and what to do. */
const needs = {
  missing: (name: string) => `${name} missing`,
  understood: "Understood",
  socket: "WebSocket",
  socketText: "this browser or the network lets no live connection through. The console works all the same, by asking again and again. To get one, use a current Firefox, Chrome, Edge or Safari, and ask whoever runs the network to let WebSockets to this address pass.",
  secure: "Secure connection",
  secureText: "this page came over plain http, so anybody on the way can read along. Open the console by its https address.",
  storage: "Storage",
  storageText: "what you are writing is lost when this page is reloaded. Allow this address to keep site data, and leave private windows that forbid it.",
  notices: "Notifications",
  noticesText: "this browser has none, so keep the console in sight or its sound on. A current Firefox, Chrome, Edge or Safari has them; on an iPhone, add the console to the home screen.",
};

const lists = {
  waiting: "Waiting",
  mine: "My chats",
  missed: "Missed",
  team: "Team",
  loading: "Loading your chats",
  goneFor: (time: string) => `You were gone for ${time}, so you are away now.`,
  awayNow: "You are away, so no chat is offered to you.",
  nobodyWaits: "Nobody is waiting. Whoever starts a chat appears here.",
  start: "Start taking chats",
  waitingFor: (time: string) => `, waiting for ${time}. `,
  returned: "Returned",
  notWrittenYet: "Has not written yet",
  accept: "Accept",
  acceptThe: (name: string) => `Accept the chat with ${name}`,
  mineEmpty: "Chats that you accept appear here.",
  lost: (n: number) => `Nothing was heard of you for a while, so ${n === 1 ? "a chat of yours" : `${digits(LANG, n)} of your chats`} went back to the line: `,
  allRight: "All right",
  typing: "typing …",
  note: "Note begun",
  draft: "Draft",
  nothingWritten: "Nothing written yet",
  unread: "unread",
  dismiss: "Dismiss",
  message: "Message",
  withoutAWord: "Left without a word",
  left: { "": "", ended: "Ended", moved: "Passed on", taken: "Accepted by a colleague", returned: "Went back to the line", gone: "No longer yours" },
};

/** The open chat around its conversation. */
const pane = {
  waiting: (time: string) => `waiting ${time}`,
  back: "Back to the list",
  about: "About the visitor",
  ended: "Ended",
  notYours: "Not yours",
  message: "Message",
  missed: "Missed",
  transfer: "Transfer",
  nobodyThere: ", where nobody is online at the moment",
  wentOn: (visitor: string, to: string, alone: string) => `The chat with ${visitor} went on to ${to}${alone}.`,
  departments: "Departments",
  nobodyOnline: "nobody online",
  colleagues: "Colleagues online",
  nobodyElse: "There is nobody else to give it to.",
  end: "End chat",
  endThe: (name: string) => `End the chat with ${name}?`,
  keep: "Keep chatting",
  endText: "The visitor is told that it has ended. You can still read it here, and nothing is deleted.",
  waitingFor: "Waiting for ",
  seesYou: ". The visitor sees you when you accept.",
  leftAway: "Left while nobody was online.",
  nobodyAnswered: "Nobody answered in time.",
  writeTo: "You can write to ",
  noAddress: "The visitor left no address.",
  noteLost: "Note not saved",
  changeLost: "Change not saved",
  replyLost: "Reply not sent",
  noteLostText: "You were writing a note. It was not saved.",
  changeLostText: "You were changing your last message to this. It was not changed.",
  replyLostText: "You were writing this. It was not sent.",
  youAreAway: "You are away",
  caughtUp: "All caught up",
  acceptOne: "Accept a chat on the left to answer it, or open it to read first.",
  offered: "Chats are offered to you while you are online.",
  newOnes: "New chats appear under Waiting. Open one of yours to go on writing.",
  leftThePage: "Left the page",
  connectionLost: "Connection lost",
};

/** What was said, and how far it came. */
const talk = {
  conversation: "Conversation",
  messagesWith: (name: string) => `Messages with ${name}`,
  earlier: "Show earlier messages",
  isTyping: (name: string) => `${name} is typing …`,
  newMessages: (n: number) => counted(LANG, n, { one: "# new message", other: "# new messages" }),
  newest: "Newest messages",
  noteBy: (name: string) => `Note by ${name || "you"}, only your team sees it`,
  deleted: "Message deleted",
  edited: "edited",
  sending: "Sending …",
  held: "Will be sent when the connection is back",
  sent: "Sent",
  delivered: "Delivered",
  read: "Read",
  notSent: "Not sent",
  notSentBecause: {
    chat_closed: "Not sent, because the chat had ended.",
    not_found: "Not sent, because this chat is no longer yours.",
    chat_returned: "Not sent, because the chat had gone back to the line.",
    forbidden: "Not sent, because this chat is no longer yours.",
  },
  notSentHere: (text: string) => `A message was not sent, because its chat is no longer yours: “${text}”`,
  erased: "This conversation was erased at its visitor’s request.",
  copied: "Copied",
  copy: "Copy the text",
  again: "Try again",
  edit: "Edit",
  sendsIn: (n: number) => `Sends in ${seconds(n)}`,
  undo: "Undo",
  youSaid: (text: string) => `You: ${text}`,
};

const write = {
  aNote: "Write a note",
  aReply: "Write a reply",
  note: "Note",
  reply: "Reply",
  message: "Message",
  placeholderNote: "Write a note for your team …",
  placeholder: "Write a reply …",
  tooLong: (n: number) => counted(LANG, n, { one: "# character too many", other: "# characters too many" }),
  left: (n: number) => counted(LANG, n, { one: "# character left", other: "# characters left" }),
  onlyTeam: "Only your team sees this.",
  keys: "Enter sends, Shift+Enter begins a new line",
  notKept: "This browser keeps nothing: unsent text is lost when the page is reloaded.",
  send: "Send",
};

/** What opens with Ctrl-K. */
const palette = {
  title: "Find and do",
  field: "What do you want to do?",
  hint: "Type a name or what you want to do",
  list: "What you can do",
  nothing: "Nothing is called like that.",
  found: (n: number) => counted(LANG, n, { one: "# result", other: "# results" }),
  goTo: (name: string) => `Go to ${name}`,
  accept: "Accept the next chat",
  transferTo: (name: string) => `Transfer to ${name}`,
  with: (name: string) => `the chat with ${name}`,
  online: "Go online",
  away: "Set yourself away",
  insert: (shortcut: string) => `Insert /${shortcut}`,
  replies: "Edit your prepared replies",
  settings: "Open settings",
  keys: "Show the list of keys",
  soundOn: "Turn the sound on",
  soundOff: "Turn the sound off",
  notLoaded: "This part could not be loaded. Please try again when the connection is back.",
};

/** What opens with a question mark. */
const keys = {
  title: "Keys",
  close: "Close",
  anywhere: "Anywhere",
  writing: "While you write",
  ctrl: "Ctrl",
  alt: "Alt",
  shift: "Shift",
  enter: "Enter",
  esc: "Esc",
  palette: "Find a chat, a prepared reply or something to do",
  list: "Show this list (while you are not writing)",
  chats: "Go to the first, second … of your chats",
  back: "Go back to the list, or close what is open",
  send: "Send",
  line: "Begin a new line",
  edit: "Edit your last message (in an empty one)",
  reply: "Insert a prepared reply",
  slash: "Write a slash",
};

/** What an operator says again and again. */
const prepared = {
  title: "Prepared replies",
  writeHint: "Enter sends, Shift+Enter begins a new line, / finds a prepared reply",
  hint: "Type / and the shortcut while you write in a chat. The text is put into your message; you send it. Only you see these.",
  none: "You have none yet.",
  fillsIn: "{visitor_name}, {operator_name} and {site} are filled in when you insert it.",
  shortcut: "Shortcut",
  shortcutHint: "One word, typed behind the slash",
  text: "Text",
  newReply: "New reply",
  newTitle: "New prepared reply",
  save: "Save",
  saved: (shortcut: string) => `/${shortcut} is saved.`,
  deleted: (shortcut: string) => `/${shortcut} is deleted.`,
  cancel: "Cancel",
  editNamed: (shortcut: string) => `Edit /${shortcut}`,
  removeNamed: (shortcut: string) => `Delete /${shortcut}`,
  needsShortcut: "Give it a shortcut to find it by.",
  oneWord: "One word, without spaces, slashes or braces.",
  atMost: (n: number) => `At most ${digits(LANG, n)} characters.`,
  taken: "Another of your replies has this shortcut.",
  needsText: "Write what it should say.",
  notSaved: "What you changed is not saved.",
  discard: "Discard",
  keepEditing: "Keep editing",
  choices: (n: number) => counted(LANG, n, { one: "# prepared reply. Enter inserts it.", other: "# prepared replies. Arrows choose, Enter inserts." }),
  manage: "Edit your prepared replies …",
  makeFirst: "Prepare a reply …",
};

/** Rewording and taking back what was said last. */
const corrections = {
  last: "Your last message",
  editing: "You are editing your last message.",
  editHint: "Enter saves, Escape leaves it as it was",
  remove: "Delete",
  title: "Delete this message?",
  text: "You and the visitor will see “Message deleted” in its place. This cannot be undone.",
  yes: "Delete message",
  keep: "Keep it",
  notChanged: "This message cannot be changed any more.",
  over: "The chat has ended, so the message stays as it is.",
  notYours: "This chat is no longer yours, so the message stays as it is.",
};

const visitor = {
  title: "Visitor",
  close: "Close",
  noName: "No name given",
  email: "Email",
  page: "Page",
  department: "Department",
  started: "Started",
  earlier: "Earlier chats",
  first: "None, this is the first",
  chats: (n: number) => counted(LANG, n, { one: "# chat", other: "# chats" }),
  left: "Left with the message",
  answers: "Answers before the chat",
};

/** What happened to a chat. An empty name is the operator who reads it. */
const lines = {
  started: (department: string) => (department ? `Chat started with ${department}` : "Chat started"),
  messageLeft: (department: string) => `Message left for ${department}`,
  accepted: (name: string) => `${name || "You"} accepted the chat`,
  transferred: (name: string, to: string) => `${name || "You"} transferred the chat to ${to || "you"}`,
  withdrawn: (name: string) => `The chat waits again, because ${name || "you"} cannot answer it any more`,
  lost: (name: string) => `${name || "You"} lost the connection, so the chat waits again`,
  leftMessage: "The visitor left a message",
  leftBefore: "The visitor left before anybody answered",
  nobody: "Nobody answered in time",
  idle: "The chat ended because nobody wrote any more",
  visitorLeft: "The visitor left",
  visitorEnded: "The visitor ended the chat",
  endedBy: (name: string) => `${name || "You"} ended the chat`,
  ended: "The chat ended",
  farewellMissed: "Nobody answered in time. You find this chat under Missed.",
  farewellEnded: "This chat has ended. It stays here until you dismiss it.",
  farewellMoved: (to: string) => `This chat went on to ${to}. It stays here until you dismiss it.`,
  farewellTaken: (name: string) => `${name || "Somebody else"} accepted this chat.`,
  farewellReturned: "Nothing was heard of you for a while, so this chat went back to the line. It stays here until you dismiss it.",
  farewellGone: "This chat is no longer yours. It stays here until you dismiss it.",
};

/** What the machine code of a refusal says: the server's own sentence is for programs. */
const failed: Record<ErrorCode, string> = {
  archive_damaged: "The file of this conversation in the archive cannot be read. Tell whoever runs this server.",
  archive_unavailable: "This conversation is in the archive, which does not answer. Please try again later.",
  bad_field: "A field is not valid.",
  bad_frame: "The server did not understand this page. Please reload it.",
  chat_already_open: "A chat is open already.",
  chat_already_taken: "A colleague has accepted this chat.",
  chat_closed: "This chat has ended.",
  chat_not_over: "This chat goes on.",
  survey_over: "This survey is over.",
  chat_returned: "This chat went back to the line while you were away.",
  forbidden: "You may not do this.",
  hello_repeated: "The server did not understand this page. Please reload it.",
  missing_field: "Something is missing. Please fill in every field.",
  nobody_online: "Nobody is online at the moment.",
  not_authenticated: "You are logged out. Please log in again.",
  not_found: "There is no such thing here any more.",
  notice_required: "The privacy notice has changed.",
  origin_refused: "This address may not be used for that.",
  protocol_not_spoken: "There is a newer version of the console. Please reload the page.",
  rate_limited: "That was too fast. Please wait a moment and try again.",
  too_many: "There is no room for another one.",
  ticket_refused: "This page is too old. Please reload it.",
  unavailable: "The service is busy. Nothing was lost: please try again.",
  unknown_field: "A field is not asked for any more. Please reload the page.",
};

const refused = {
  takenFirst: "Somebody else accepted this chat first.",
  waitsNoMore: "This chat is no longer waiting.",
  ended: "This chat has ended.",
  noConnection: "No connection at the moment. Please try again when it is back.",
  other: "That did not work. Please try again.",
};

export const words = { lang: LANG as string, alerts, settings, who, times, app, needs, lists, pane, talk, write, palette, keys, prepared, corrections, visitor, lines, failed, refused };
export type Words = typeof words;
