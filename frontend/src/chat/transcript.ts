/** Asks at the end of a chat where its transcript should be mailed to. */
import { alone } from "../design/names.ts";
import { uuid7 } from "../wire/uuid7.ts";
import { extras as t } from "../words/en.ts";
import type { Answer } from "./answers.ts";
import type { ChatClient } from "./client.ts";

type Client = Pick<ChatClient, "state" | "given" | "command">;

/** What the machine code of a refusal says here. */
export function said(answer: Answer): string {
  if (answer.ok) return "";
  return (t.failed as Partial<Record<string, string>>)[answer.field === "email" ? "bad_field" : answer.code] ?? t.other;
}

/** What is sent of the address; `ref` stays the same until the address is another one. */
export function wish(client: Client, email: string, ref: string): object {
  const { site, chat } = client.state.value;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  return { type: "mail_transcript", chat: chat?.uid ?? "", ref, email, notice: site?.notice.sha256 ?? "", language: document.documentElement.lang, zone };
}

/** The form takes the place of `button`, until it was sent or put away. */
export function ask(button: HTMLElement, client: Client): void {
  const place = button.parentElement!;
  if (button.hidden) return;
  place.querySelector("[role=status]")?.remove();
  const { site } = client.state.value;
  const known = site?.fields.find((f) => f.kind === "email")?.name;
  const form = make(place, "form", "transcript");
  form.noValidate = true;
  const label = make(form, "label", "field-label", t.email);
  label.htmlFor = "transcript-email";
  const input = make(form, "input", "input");
  Object.assign(input, { id: label.htmlFor, type: "email", autocomplete: "email", required: true, dir: "auto", value: (known && client.given[known]) ?? "" });
  const trouble = make(form, "p", "field-error");
  trouble.id = "transcript-trouble";
  trouble.setAttribute("role", "alert");
  input.setAttribute("aria-describedby", trouble.id);
  const notice = make(form, "p", "notice");
  notice.dir = "auto";
  const show = () => (notice.textContent = client.state.value.site?.notice.text ?? "");
  show();
  const unwatch = client.state.watch(show); // it may change while she reads it
  const actions = make(form, "div", "ask-actions");
  const cancel = make(actions, "button", "button button-quiet", t.cancel);
  cancel.type = "button";
  const send = make(actions, "button", "button button-primary", t.send);

  const close = () => {
    unwatch();
    form.remove();
    button.hidden = false;
    button.focus();
  };
  const complain = (words: string) => {
    trouble.textContent = words;
    input.ariaInvalid = words ? "true" : "false";
    if (words) input.focus();
  };
  let ref = uuid7();
  let busy = false;
  input.oninput = () => (ref = uuid7());
  cancel.onclick = close;
  form.onkeydown = (e) => {
    if (e.key !== "Escape") return;
    e.preventDefault();
    close();
  };
  form.onsubmit = async (e) => {
    e.preventDefault();
    const email = input.value.trim();
    if (busy) return;
    if (!email) return complain(t.required);
    complain("");
    busy = true;
    send.ariaBusy = send.ariaDisabled = "true";
    const answer = await client.command(wish(client, email, ref));
    busy = false;
    send.ariaBusy = send.ariaDisabled = "false";
    if (!answer.ok) return complain(said(answer));
    close();
    const status = make(place, "p", "muted");
    status.setAttribute("role", "status");
    status.textContent = t.sent(alone(email));
    place.prepend(status);
  };
  button.hidden = true;
  input.focus();
}

function make<T extends keyof HTMLElementTagNameMap>(into: Element, tag: T, look: string, words = ""): HTMLElementTagNameMap[T] {
  const made = document.createElement(tag);
  made.className = look;
  made.textContent = words;
  into.append(made);
  return made;
}
