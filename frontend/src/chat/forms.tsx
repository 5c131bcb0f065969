import { useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { alone, displayName, webAddress } from "../design/names.ts";
import { Banner, ChatDrawing, EmptyState } from "../design/parts.tsx";
import type { FieldSpec, SiteView, VisitorChatView } from "../wire/protocol.ts";
import { uuid7 } from "../wire/uuid7.ts";
import type { Answer } from "./answers.ts";
import type { ChatClient } from "./client.ts";
import { autocompleteOf, culprit, type Errors, fieldsOf, filled, LEAVE_FIELDS, LEAVE_FIELDS_ALONG, missing, objectionTo, onlineDepartments, type Values, welcomeOf } from "./form.ts";
import { refusal, t } from "./strings.ts";
import { Sentence, Text } from "./text.tsx";
import { useValue } from "./value.ts";

/**
 * What was typed into one of the two forms stands in the other, and outlives its redraws and a reload of the
 * page, in this tab only. `@ref` names what is being sent: it stays the same until something is changed.
 */
function useValues(client: ChatClient): { values: Values; set: (name: string, value: string) => void; ref: () => string; forget: () => void } {
  const [values, show] = useState<Values>(() => {
    try {
      return JSON.parse(client.box.get("form") ?? "{}") as Values;
    } catch {
      return {};
    }
  });
  const keep = (next: Values) => {
    client.box.set("form", Object.keys(next).length ? JSON.stringify(next) : null);
    show(next);
  };
  return {
    values,
    set: (name, value) => {
      const { "@ref": _, ...rest } = values;
      keep({ ...rest, [name]: value });
    },
    ref: () => {
      const ref = values["@ref"] ?? uuid7();
      keep({ ...values, "@ref": ref });
      return ref;
    },
    forget: () => keep({}),
  };
}

/** A refusal in words. What was refused for want of a connection may be sent again when there is one. */
function Refusal({ client, trouble }: { client: ChatClient; trouble: Trouble }) {
  const { code, words } = trouble;
  const link = useValue(client.link);
  if (!words) return null;
  return <Banner tone="warn" role="alert">{code === "offline" && link === "online" ? t.backAgain : words}</Banner>;
}

type Trouble = { code: string; words: string };
const NONE: Trouble = { code: "", words: "" };

/** The notice stands beside the button, in full, not behind a link. */
function Notice({ client, site }: { client: ChatClient; site: SiteView }) {
  return (
    <p class="notice" dir="auto">
      <Text text={site.notice.text} /> <Links client={client} site={site} />
    </p>
  );
}

/**
 * The firm's policy, and where anybody asks what is kept of them: in a tab that opens at the click and gets
 * a link that proves whose chat this is, or the plain one.
 */
export function Links({ client, site }: { client: ChatClient; site: SiteView }) {
  const prove = async (e: MouseEvent & { currentTarget: HTMLAnchorElement }) => {
    const { href } = e.currentTarget;
    const tab = open();
    if (!tab) return;
    e.preventDefault();
    const answer = await client.command({ type: "ask_privacy_link" });
    tab.location = answer.ok && answer.reply?.type === "privacy_link" ? answer.reply.path : href;
  };
  const policy = webAddress(site.privacy_policy_url);
  return (
    <>
      {policy && <><a href={policy} target="_blank" rel="noopener noreferrer nofollow">{t.privacyPolicy}</a> · </>}
      <a href={`/privacy/requests/?site=${site.key}`} target="_blank" onClick={prove}>{t.yourData}</a>
    </>
  );
}

function Fields({ fields, values, errors, onValue }: { fields: readonly FieldSpec[]; values: Values; errors: Errors; onValue: (name: string, value: string) => void }) {
  return (
    <>
      {fields.map((f) => (
        <Field
          key={f.name} name={f.name} label={f.label} kind={f.kind} required={f.required ?? false} optionalWord={t.optional}
          value={values[f.name] ?? ""} onValue={(v) => onValue(f.name, v)} autocomplete={autocompleteOf(f)}
          {...(f.hint ? { hint: f.hint } : {})}
          {...(errors[f.name] ? { error: errors[f.name] } : {})}
          options={[{ value: "", label: t.choose }, ...(f.options ?? []).map((o) => ({ value: o, label: o }))]}
        />
      ))}
    </>
  );
}

function objection(fields: readonly FieldSpec[], answer: Answer): { errors: Errors; trouble: Trouble } {
  if (answer.ok) return { errors: {}, trouble: NONE };
  const at = answer.code === "unknown_field" ? "" : culprit(fields, answer.field);
  const field = fields.find((f) => f.name === at);
  if (field) return { errors: { [at]: objectionTo(field, answer.code) }, trouble: NONE };
  return { errors: {}, trouble: { code: answer.code, words: refusal(answer.code) ?? t.failedOther } };
}

function focusFirstError(form: HTMLFormElement): void {
  requestAnimationFrame(() => form.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
}

/** At most one screen before the chat: the site's own fields, or none, and the notice. */
export function StartForm({ client, site }: { client: ChatClient; site: SiteView }) {
  const { values, set: setValue, forget } = useValues(client);
  const [errors, setErrors] = useState<Errors>({});
  const [trouble, setTrouble] = useState(NONE);
  const [busy, setBusy] = useState(false);
  const draft = useValue(client.draft);
  const fields = fieldsOf(site);
  const choices = onlineDepartments(site);
  const chosen = choices.find((d) => d.uid === values["@department"]) ?? choices[0];

  const submit = async (form: HTMLFormElement) => {
    const gaps = missing(fields, values);
    setErrors(gaps);
    if (Object.keys(gaps).length) return focusFirstError(form);
    setBusy(true);
    const answer = await client.startChat({ department: chosen?.uid ?? "", fields: filled(fields, values), notice: site.notice.sha256 });
    setBusy(false);
    if (answer.ok) return forget();
    const said = objection(fields, answer);
    setErrors(said.errors);
    setTrouble(said.trouble);
    focusFirstError(form);
  };

  return (
    <form class="form" noValidate onSubmit={(e) => { e.preventDefault(); void submit(e.currentTarget); }}>
      <h2 class="hello" dir="auto">{welcomeOf(site)}</h2>
      <Refusal client={client} trouble={trouble} />
      <Fields fields={fields} values={values} errors={errors} onValue={setValue} />
      {choices.length > 1 && (
        <Field label={t.department} kind="select" required value={chosen?.uid ?? ""} onValue={(v) => setValue("@department", v)} options={choices.map((d) => ({ value: d.uid, label: d.name }))} />
      )}
      {draft.trim() && <p class="muted small">{t.draftKept}</p>}
      <div class="form-end">
        <Notice client={client} site={site} />
        <Button kind="primary" wide type="submit" busy={busy}>{t.startChat}</Button>
      </div>
    </form>
  );
}

/**
 * Nobody is online: a message by mail. It is sent once, however often the button has to be pressed. Its text
 * is the draft, so that it goes along into a chat and comes along from one. `waiting` is the chat that waits
 * in vain and ends with the message; `onKeep` goes back to it.
 */
export function LeaveForm({ client, site, waiting, onSent, onKeep, onChat }: {
  client: ChatClient; site: SiteView; waiting?: VisitorChatView; onSent: (values: Values) => void; onKeep?: () => void; onChat: (() => void) | null;
}) {
  const { values: kept, set, ref, forget } = useValues(client);
  const [errors, setErrors] = useState<Errors>({});
  const [trouble, setTrouble] = useState(NONE);
  const [busy, setBusy] = useState(false);
  const address = site.fields.find((f) => f.kind === "email")?.name ?? "";
  const said = { ...client.given, ...kept };
  const values: Values = { ...kept, name: said["name"] ?? "", email: kept["email"] ?? said[address] ?? "", text: useValue(client.draft) };
  const along = waiting?.log?.some((r) => r.type === "message_posted" && r.author === "visitor") ?? false;
  const fields = along ? LEAVE_FIELDS_ALONG : LEAVE_FIELDS;
  const setValue = (name: string, value: string) => {
    if (name === "text") client.write(value);
    set(name === "text" ? "@text" : name, name === "text" ? "" : value);
  };

  const submit = async (form: HTMLFormElement) => {
    const gaps = missing(fields, values);
    setErrors(gaps);
    if (Object.keys(gaps).length) return focusFirstError(form);
    setBusy(true);
    const { name = "", email = "", text = "" } = filled(fields, values);
    const department = waiting ? "" : (site.departments.find((d) => d.uid === values["@department"]) ?? site.departments[0])?.uid ?? "";
    const answer = await client.leaveMessage({ ref: ref(), chat: waiting?.uid ?? "", name, email, text, department, notice: site.notice.sha256 });
    setBusy(false);
    if (answer.ok) {
      forget();
      client.write("");
      return onSent({ name, email });
    }
    const objected = objection(fields, answer);
    setErrors(objected.errors);
    setTrouble(objected.trouble);
    focusFirstError(form);
  };

  return (
    <form class="form" noValidate onSubmit={(e) => { e.preventDefault(); void submit(e.currentTarget); }}>
      {onChat ? (
        <Banner tone="good" role="status"><span>{t.somebodyCame}</span> <Button small onClick={onChat}>{waiting ? t.backToChat : t.chatInstead}</Button></Banner>
      ) : (
        <div>
          <h2 class="hello">{t.awayTitle}</h2>
          <p class="muted" dir="auto">{waiting ? t.leaveInsteadText : displayName(site.offline ?? "") || t.awayText}</p>
        </div>
      )}
      <Refusal client={client} trouble={trouble} />
      {!waiting && site.departments.length > 1 && (
        <Field label={t.department} kind="select" required value={values["@department"] ?? site.departments[0]!.uid} onValue={(v) => setValue("@department", v)} options={site.departments.map((d) => ({ value: d.uid, label: d.name }))} />
      )}
      <Fields fields={fields} values={values} errors={errors} onValue={setValue} />
      <div class="form-end">
        <Notice client={client} site={site} />
        <Button kind="primary" wide type="submit" busy={busy}>{t.leaveMessage}</Button>
        {onKeep && !onChat && <Button wide onClick={onKeep}>{t.keepWaiting}</Button>}
      </div>
    </form>
  );
}

/** A message was left: what happens with it. */
export function Left({ name, email, onAnother, onChat }: { name: string; email: string; onAnother: () => void; onChat: (() => void) | null }) {
  return (
    <div class="form" role="group" aria-live="polite">
      <EmptyState title={<Sentence text={t.leftTitle(alone(name))} />} drawing={<ChatDrawing />}>
        <p><Sentence text={t.leftText(alone(email))} /></p>
        {onChat ? <Button kind="primary" onClick={onChat}>{t.startChat}</Button> : <Button onClick={onAnother}>{t.leaveAnother}</Button>}
      </EmptyState>
    </div>
  );
}
