/** Every English word that the loader shows. "Chat with us" and "Chat" are names of the contract. */
export const words = {
  launcher: "Chat with us",
  frame: "Chat",
  here: "Somebody is online",
  away: "Nobody is here right now. You can leave a message.",
  connecting: "Connecting \u2026",
  slow: "Still connecting. The line is slow \u2026",
  unreachable: "The chat cannot be reached right now.",
  again: "Try again",
  unread: (n: number): string => (n === 1 ? "1 new message" : n ? `${n} new messages` : ""),
};
