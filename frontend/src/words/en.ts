/**
 * English, from which every other language takes its shape: a word that one of them lacks fails `tsc`.
 * The names that the contract promises are the English ones of this file.
 */
import { counted, digits } from "./numbers.ts";

const suffix: Record<string, string> = { one: "st", two: "nd", few: "rd" };

/** What the loader shows. Plain strings: they travel as JSON. */
export const loader = {
  launcher: "Chat with us",
  frame: "Chat",
  here: "Somebody is online",
  away: "Nobody is here right now. You can leave a message.",
  connecting: "Connecting \u2026",
  slow: "Still connecting. The line is slow \u2026",
  unreachable: "The chat cannot be reached right now.",
  again: "Try again",
};

/** What the server says: a document without scripts, the name of a site's own page, the button of a greeting, and where nothing is collected any more. */
export const page = { noscript: "The chat needs JavaScript.", title: "Chat with {}", close: "Dismiss", adults: "This chat is for adults", adultsText: "We may not talk here with anybody under 18. Nothing that is written in this browser is kept. If you need help, ask a parent or another adult to call or write for you.", yourData: "Your data" };

/** What the chat frame shows. A name that is put in stands alone, whatever its direction (design/names.ts). */
export const chat = {
  lang: "en",
  conversation: "Conversation",
  message: "Message",
  send: "Send",
  startChat: "Start chat",
  leaveMessage: "Leave message",
  endChat: "End chat",
  name: "Name",
  email: "Email",
  phone: "Phone",

  chat: "Chat",
  minimise: "Minimise chat",
  sound: "Sound",
  emoji: "Emoji",
  department: "Department",
  optional: "optional",
  choose: "Choose …",
  placeholder: "Write a message …",
  privacyPolicy: "Privacy policy",
  yourData: "Your data",
  onlineNow: "Online now",
  offlineNow: "Not here right now",
  awayTitle: "Leave us a message",
  awayText: "Nobody is here right now. Leave a message and we will answer by email.",
  welcome: "How can we help?",
  leftTitle: (name: string) => (name ? `Thank you, ${name}` : "Thank you"),
  leftText: (email: string) => `Your message is with us. We will answer to ${email}.`,
  leaveAnother: "Leave another message",
  newChat: "Start a new chat",
  sendTranscript: "Send me the transcript by email",

  waitingFirst: "You are next in line",
  waitingNth: (n: number) => `You are ${digits("en", n)}${suffix[new Intl.PluralRules("en", { type: "ordinal" }).select(n)] ?? "th"} in line`,
  waitingAbout: (n: number) => counted("en", n, { one: ", about # minute", other: ", about # minutes" }),
  replyUsual: (n: number) => counted("en", n, { one: "We usually reply in about # minute", other: "We usually reply in about # minutes" }),
  waiting: "Waiting for somebody to answer",
  nobodyHere: "Nobody is here right now",
  nobodyHint: "You can keep waiting, or leave a message and we will answer by email.",
  leaveInstead: "Leave a message instead",
  leaveInsteadText: "We will answer by email. Until you send it you keep your place in line.",
  goesAlong: "What you have written so far goes along.",
  backToChat: "Back to the chat",
  keepWaiting: "Keep waiting",
  messageLeft: "Your message is with us. We will answer by email.",
  waitingHint: "You can write already. Somebody will answer as soon as possible.",
  started: (department: string) => (department ? `You started a chat with ${department}` : "You started a chat"),
  joined: (name: string) => `${name || "Somebody"} is here to help`,
  moved: (department: string) => `Your chat went on to ${department}`,
  movedTo: (name: string) => `${name} answers you now`,
  lost: (name: string) => `${name || "The operator"} lost the connection. We are finding somebody else for you.`,
  withdrawn: (name: string) => `${name || "The operator"} had to go. We are finding somebody else for you.`,
  youEnded: "You ended the chat",
  youLeftMessage: "You left a message",
  theyEnded: (name: string) => `${name || "The operator"} ended the chat`,
  idleEnded: "The chat ended while you were away",
  ended: "This chat has ended.",
  missed: "Nobody could answer in time. We are sorry.",
  missedRow: "Nobody could answer in time",
  deleted: "Message deleted",
  edited: "edited",
  typing: (name: string) => `${name || "The operator"} is typing …`,
  you: "You",
  operator: "Operator",
  older: "Show earlier messages",
  newTab: "Another website, in a new tab",
  today: "Today",
  yesterday: "Yesterday",
  unread: (n: number) => counted("en", n, { one: "# new message", other: "# new messages" }),

  sending: "Sending …",
  held: "Will be sent when the connection is back",
  sent: "Sent",
  delivered: "Delivered",
  read: "Read",
  notSent: "Not sent",
  retry: "Try again",
  takeBack: "Edit",
  tooLong: (n: number) => `${counted("en", n, { one: "# character", other: "# characters" })} too many. Please make it shorter.`,
  left: (n: number) => counted("en", n, { one: "# character left", other: "# characters left" }),

  endQuestion: "End this chat?",
  endText: "The conversation stays here until you close this page.",
  keep: "Keep chatting",
  endLater: "No connection. You can end the chat when it is back.",
  lateKept: "What you have not sent is kept and comes along.",
  draftKept: "What you have written is kept: you will find it in the message box.",
  somebodyCame: "Somebody is here now.",
  chatInstead: "Chat instead",

  connecting: "Connecting …",
  trouble: "No connection. What you write is kept and sent when it is back.",
  troubleEmpty: "No connection. Trying again …",
  notKept: "Your browser keeps no history for this page: the chat is gone when you leave it.",
  unavailable: "The chat is not available right now.",
  gone: "The chat is not available here any more.",
  goneText: "What you have written stays here until you leave this page. You can copy it.",
  notSentText: "Not sent yet",
  old: "The chat was renewed while this page was open.",

  required: (label: string) => `Please fill in: ${label}`,
  chooseOne: "Please choose one.",
  tickThis: "Please tick this to go on.",
  badEmail: "This does not look like an email address.",
  badPhone: "This does not look like a phone number.",
  badValue: "This cannot be used as it is. Please change it.",
  failed: {
    offline: "No connection. Nothing was lost: try again when it is back.",
    nobody_online: "Nobody is left in that department. You can start with another one.",
    rate_limited: "That was very fast. Please wait a moment and try again.",
    unknown_field: "The form has changed. Please look it over and try again.",
    missing_field: "The form has changed. Please look it over and try again.",
    notice_required: "The privacy notice has changed. Please read it and try again.",
    chat_closed: "The chat has ended, so this was not sent.",
    chat_already_open: "Somebody has answered: you are in a chat already.",
    unavailable: "The service is busy. Nothing was lost: please try again.",
  },
  backAgain: "The connection is back. Please try again.",
  failedOther: "That did not work. Please try again.",
};

/** What is fetched only when somebody presses its button. */
export const extras = {
  faces: "Faces",
  hands: "Hands",
  hearts: "Hearts",
  things: "Things",
  signs: "Signs",
  email: "Email",
  send: "Send transcript",
  cancel: "Not now",
  required: "Please fill in your email address.",
  sent: (email: string) => `It is on its way to ${email}.`,
  failed: {
    bad_field: "This does not look like an email address.",
    rate_limited: "It was sent often enough for now. Please try again later.",
    notice_required: "The privacy notice has changed. Please read it and try again.",
    offline: "No connection. Please try again when it is back.",
  },
  other: "That did not work. Please try again.",
};

/** What is asked after a chat, in the frame and by its link. Plain strings, `{}` is where something is put in. */
export const survey = {
  hint: "Every question can be skipped, and so can all of them.",
  send: "Send",
  skip: "Skip",
  low: "Poor",
  high: "Very good",
  unsaid: "Prefer not to say",
  choose: "Choose …",
  under: "Under {}",
  above: "{} or over",
  thanks: "Thank you for your answers.",
  later: "Answer later",
  laterText: "This link is good for 7 days.",
  waiting: "No connection. Your answers will be sent when it is back.",
  wrong: "Please look at this answer again.",
  other: "That did not work. Please try again.",
  over: "This survey is over.",
  title: "Survey",
  gone: "This link is not good any more.",
  skipped: "All right. Nothing was kept.",
};

/** What the server writes into the mail with a transcript. Plain strings, `{}` is where something is put in. */
export const mail = {
  subject: "Your chat with {}",
  intro: "This is the transcript of your chat, as you asked for it.",
  you: "You",
  operator: "Operator",
  deleted: "Message deleted",
  edited: "edited",
  zone: "Times are in {}.",
  survey: "If you like, tell us how it was. This link is good until {}:",
  unasked: "If you did not ask for it, you can delete this email.",
};

export type Loader = typeof loader;
export type Page = typeof page;
export type Chat = typeof chat;
export type Extras = typeof extras;
export type Mail = typeof mail;
export type Survey = typeof survey;
