/** What the firm asks after a chat, in a file of its own for each language, fetched when the chat has ended. */
import type { QuestionView, SurveyView } from "../wire/protocol.ts";
import { uuid7 } from "../wire/uuid7.ts";
import { survey as t } from "../words/en.ts";
import type { ChatClient } from "./client.ts";
import css from "./survey.css";

type Client = Pick<ChatClient, "command" | "link" | "state" | "bridge">;

const UNSAID = "none";
const AGAIN_MS = 1_000;

const sheet = new CSSStyleSheet();
sheet.replaceSync(css);
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

/** What a band is called; its codes are the same in all languages. */
export function nameOf(kind: QuestionView["kind"], code: string, lang: string): string {
  if (code === UNSAID) return t.unsaid;
  const income = kind === "income";
  if (!income && kind !== "age") return code;
  const say = (n: number) => (income ? new Intl.NumberFormat(lang, { style: "currency", currency: "USD", maximumFractionDigits: 0 }).format(n) : new Intl.NumberFormat(lang).format(n));
  const [low = 0, high = 0] = (code.match(/\d+/g) ?? []).map((n) => Number(n) * (income ? 1_000 : 1));
  if (code.startsWith("u")) return t.under.replace("{}", say(low));
  if (code.endsWith("+")) return t.above.replace("{}", say(low));
  return `${say(low)} – ${say(income ? high - 1 : high)}`;
}

let offer = { chat: "", ref: "" };

/** Asks what there is to ask and shows it, once for all frames of this visitor. Nothing is kept of a survey that is put away. */
export async function ask(place: HTMLElement, client: Client): Promise<void> {
  const chat = client.state.value.chat?.uid ?? "";
  if (offer.chat !== chat) offer = { chat, ref: uuid7() };
  if (place.firstChild) return;
  const answer = await client.command({ type: "ask_survey", ...offer });
  if (!answer.ok && answer.code === "offline" && place.isConnected) {
    const unwatch = client.link.watch(() => {
      if (client.link.value !== "online") return;
      unwatch();
      void ask(place, client);
    });
  }
  if (!answer.ok || answer.reply?.type !== "survey_offered" || !answer.reply.survey || place.firstChild) return;
  show(place, client, chat, answer.reply.survey);
}

/**
 * The questions stand in `place` until they are sent or skipped. What is sent goes again by itself when a lost line
 * is back, under the same ref, so it is stored once.
 */
export function show(place: HTMLElement, client: Client, chat: string, survey: SurveyView): void {
  const form = make(place, "form", "survey");
  form.noValidate = true;
  const told = make(form, "div", "");
  const title = make(told, "h2", "", survey.title);
  title.id = "survey-title";
  title.dir = "auto";
  form.setAttribute("aria-labelledby", title.id);
  if (survey.intro) make(told, "p", "muted small", survey.intro).dir = "auto";
  make(told, "p", "muted small", t.hint);
  const asked = make(form, "div", "survey-questions");
  const fields = survey.asked.map((each, i) => field(asked, each, `survey-${i}`));
  const trouble = make(form, "p", "ask-refused");
  trouble.setAttribute("role", "alert");
  const actions = make(form, "div", "ask-actions");
  const skip = make(actions, "button", "button button-quiet", t.skip);
  skip.type = "button";
  make(actions, "button", "button button-primary", t.send);

  const ref = uuid7();
  let busy = false;
  let owed = false;
  const end = (words: string, more = false) => {
    unwatch();
    form.remove();
    const status = make(place, "p", "");
    status.setAttribute("role", "status");
    status.tabIndex = -1;
    status.textContent = words;
    status.focus();
    if (!more) return;
    const later = make(make(place, "p", "muted small"), "a", "", t.later);
    later.href = survey.link;
    later.target = "_blank";
    later.rel = "noopener";
    later.after(` · ${t.laterText}`);
  };
  const submit = async () => {
    if (busy) return;
    busy = true;
    owed = false;
    trouble.textContent = "";
    form.ariaBusy = "true";
    const answers = Object.fromEntries(survey.asked.map((each, i) => [each.uid, fields[i]!.value()]).filter(([, value]) => value));
    const answer = await client.command({ type: "send_survey", chat, ref, answers });
    busy = false;
    form.ariaBusy = "false";
    if (answer.ok) {
      end(t.thanks);
      return client.bridge.tell({ chatlead: 1, type: "event", name: "survey_sent", detail: {} });
    }
    if (answer.code === "survey_over" || answer.code === "not_found") return end(t.over);
    if (answer.code === "offline" || answer.code === "unavailable") {
      trouble.textContent = t.waiting;
      owed = true;
      setTimeout(back, AGAIN_MS);
      return;
    }
    const at = survey.asked.findIndex((each) => answer.field.endsWith(each.uid));
    trouble.textContent = at < 0 ? t.other : t.wrong;
    fields[at]?.mark(true);
  };
  const back = () => {
    if (owed && client.link.value === "online") void submit();
  };
  const unwatch = client.link.watch(back);
  form.oninput = () => {
    for (const each of fields) each.mark(false);
  };
  form.onsubmit = (e) => {
    e.preventDefault();
    void submit();
  };
  skip.onclick = () => {
    owed = false;
    void client.command({ type: "skip_survey", chat });
    end(t.skipped, true);
  };
}

interface Field {
  /** "" where it was skipped. */
  value: () => string;
  mark: (wrong: boolean) => void;
}

const TYPES: Partial<Record<QuestionView["kind"], [type: string, autocomplete: string]>> = { email: ["email", "email"], phone: ["tel", "tel"], zip: ["text", "postal-code"] };

function field(into: Element, q: QuestionView, id: string): Field {
  const lang = document.documentElement.lang;
  const options = q.options ?? [];
  const many = q.kind === "score" || q.kind === "choice";
  const box = make(into, many ? "fieldset" : "div", "field");
  const label = make(box, many ? "legend" : "label", "field-label", q.label);
  label.dir = "auto";
  const marking = (control: HTMLElement) => (wrong: boolean) => {
    if (control.ariaInvalid !== String(wrong)) control.ariaInvalid = String(wrong);
    if (wrong) control.focus();
  };
  if (many) {
    const list = make(box, "div", q.kind === "score" ? "scores" : "choices");
    const radios = options.map((option, i) => {
      const line = make(list, "label", q.kind === "score" ? "score" : "check");
      const radio = make(line, "input", "");
      Object.assign(radio, { type: "radio", name: id, value: option });
      make(line, "span", "", option).dir = "auto";
      const end = q.kind === "score" && (i ? i === options.length - 1 && t.high : t.low);
      if (end) radio.setAttribute("aria-label", `${option}, ${end}`);
      return radio;
    });
    if (q.kind === "score") {
      const ends = make(box, "div", "score-ends muted");
      ends.ariaHidden = "true";
      make(ends, "span", "", t.low);
      make(ends, "span", "", t.high);
    }
    return { value: () => radios.find((r) => r.checked)?.value ?? "", mark: marking(radios[0] ?? box) };
  }
  (label as HTMLLabelElement).htmlFor = id;
  if (q.kind === "age" || q.kind === "income") {
    const select = make(box, "select", "input");
    select.id = id;
    for (const option of ["", ...options]) make(select, "option", "", option ? nameOf(q.kind, option, lang) : t.choose).value = option;
    return { value: () => select.value, mark: marking(select) };
  }
  if (q.kind === "text") {
    const area = make(box, "textarea", "input");
    Object.assign(area, { id, dir: "auto", rows: 2, maxLength: 2000 });
    return { value: () => area.value.trim(), mark: marking(area) };
  }
  const input = make(box, "input", "input");
  const [type, autocomplete] = TYPES[q.kind]!;
  Object.assign(input, { id, type, autocomplete, dir: "auto", maxLength: q.kind === "zip" ? 12 : 254 });
  let unsaid: HTMLInputElement | null = null;
  if (options.includes(UNSAID)) {
    const line = make(box, "label", "check");
    unsaid = make(line, "input", "");
    unsaid.type = "checkbox";
    make(line, "span", "", t.unsaid);
    unsaid.onchange = () => (input.disabled = unsaid!.checked);
  }
  return { value: () => (unsaid?.checked ? UNSAID : input.value.trim()), mark: marking(input) };
}

function make<T extends keyof HTMLElementTagNameMap>(into: Element, tag: T, look: string, words = ""): HTMLElementTagNameMap[T] {
  const made = document.createElement(tag);
  made.className = look;
  made.textContent = words;
  into.append(made);
  return made;
}
