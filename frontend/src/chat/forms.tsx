import { useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { displayName, webAddress } from "../design/names.ts";
import { Banner, ChatDrawing, EmptyState } from "../design/parts.tsx";
import type { FieldSpec, SiteView } from "../wire/protocol.ts";
import { uuid7 } from "../wire/uuid7.ts";
import type { Answer, ChatClient } from "./client.ts";
import { autocompleteOf, culprit, type Errors, filled, LEAVE_FIELDS, missing, onlineDepartments, type Values } from "./form.ts";
import { t } from "./strings.ts";
import { Text } from "./text.tsx";

/** What was typed into a form outlives its redraws and a reload of the page, in this tab only. */
function useValues(client: ChatClient, key: string): [Values, (name: string, value: string) => void, () => void] {
  const [values, set] = useState<Values>(() => {
    try {
      return JSON.parse(client.box.get(key) ?? "{}") as Values;
    } catch {
      return {};
    }
  });
  const keep = (next: Values) => {
    client.box.set(key, Object.keys(next).length ? JSON.stringify(next) : null);
    set(next);
  };
  return [values, (name, value) => keep({ ...values, [name]: value }), () => keep({})];
}

/** The notice stands beside the button, in full, not behind a link. */
function Notice({ site }: { site: SiteView }) {
  const policy = webAddress(site.privacy_policy_url);
  return (
    <p class="notice">
      <Text text={site.notice.text} />
      {policy && (
        <> <a href={policy} target="_blank" rel="noopener noreferrer nofollow">{t.privacyPolicy}</a></>
      )}
    </p>
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

function objection(fields: readonly FieldSpec[], answer: Answer): { errors: Errors; trouble: string } {
  if (answer.ok) return { errors: {}, trouble: "" };
  const at = culprit(fields, answer.field);
  if (at) return { errors: { [at]: answer.message }, trouble: "" };
  return { errors: {}, trouble: t.failed[answer.code] ?? (answer.message || t.failedOther) };
}

function focusFirstError(form: HTMLFormElement): void {
  requestAnimationFrame(() => form.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
}

/** At most one screen before the chat: the site's own fields, or none, and the notice. */
export function StartForm({ client, site }: { client: ChatClient; site: SiteView }) {
  const [values, setValue, forget] = useValues(client, "form");
  const [errors, setErrors] = useState<Errors>({});
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);
  const choices = onlineDepartments(site);
  const chosen = choices.find((d) => d.uid === values["@department"]) ?? choices[0];

  const submit = async (form: HTMLFormElement) => {
    const gaps = missing(site.fields, values);
    setErrors(gaps);
    if (Object.keys(gaps).length) return focusFirstError(form);
    setBusy(true);
    const answer = await client.startChat({ department: chosen?.uid ?? "", fields: filled(site.fields, values), notice: site.notice.sha256 });
    setBusy(false);
    if (answer.ok) return forget();
    const said = objection(site.fields, answer);
    setErrors(said.errors);
    setTrouble(said.trouble);
    focusFirstError(form);
  };

  return (
    <form class="form" noValidate onSubmit={(e) => { e.preventDefault(); void submit(e.currentTarget); }}>
      <h2 class="hello">{displayName(site.welcome) || t.welcome}</h2>
      {trouble && <Banner tone="warn" role="alert">{trouble}</Banner>}
      <Fields fields={site.fields} values={values} errors={errors} onValue={setValue} />
      {choices.length > 1 && (
        <Field label={t.department} kind="select" required value={chosen?.uid ?? ""} onValue={(v) => setValue("@department", v)} options={choices.map((d) => ({ value: d.uid, label: d.name }))} />
      )}
      <div class="form-end">
        <Notice site={site} />
        <Button kind="primary" wide type="submit" busy={busy}>{t.startChat}</Button>
      </div>
    </form>
  );
}

/** Nobody is online: a message by mail. It is sent once, however often the button has to be pressed. */
export function LeaveForm({ client, site }: { client: ChatClient; site: SiteView }) {
  const [values, setValue, forget] = useValues(client, "leave");
  const [ref, setRef] = useState(uuid7);
  const [errors, setErrors] = useState<Errors>({});
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);
  const [sent, setSent] = useState<Values | null>(null);

  const submit = async (form: HTMLFormElement) => {
    const gaps = missing(LEAVE_FIELDS, values);
    setErrors(gaps);
    if (Object.keys(gaps).length) return focusFirstError(form);
    setBusy(true);
    const { name = "", email = "", text = "" } = filled(LEAVE_FIELDS, values);
    const department = (site.departments.find((d) => d.uid === values["@department"]) ?? site.departments[0])?.uid ?? "";
    const answer = await client.leaveMessage({ ref, name, email, text, department, notice: site.notice.sha256 });
    setBusy(false);
    if (answer.ok) {
      setSent({ name, email });
      forget();
      return setRef(uuid7());
    }
    const said = objection(LEAVE_FIELDS, answer);
    setErrors(said.errors);
    setTrouble(said.trouble);
    focusFirstError(form);
  };

  if (sent) {
    return (
      <div class="form" role="group" aria-live="polite">
        <EmptyState title={t.leftTitle(displayName(sent["name"] ?? ""))} drawing={<ChatDrawing />}>
          <p>{t.leftText(sent["email"] ?? "")}</p>
          <Button onClick={() => setSent(null)}>{t.leaveAnother}</Button>
        </EmptyState>
      </div>
    );
  }
  return (
    <form class="form" noValidate onSubmit={(e) => { e.preventDefault(); void submit(e.currentTarget); }}>
      <div>
        <h2 class="hello">{t.awayTitle}</h2>
        <p class="muted">{t.awayText}</p>
      </div>
      {trouble && <Banner tone="warn" role="alert">{trouble}</Banner>}
      {site.departments.length > 1 && (
        <Field label={t.department} kind="select" required value={values["@department"] ?? site.departments[0]!.uid} onValue={(v) => setValue("@department", v)} options={site.departments.map((d) => ({ value: d.uid, label: d.name }))} />
      )}
      <Fields fields={LEAVE_FIELDS} values={values} errors={errors} onValue={setValue} />
      <div class="form-end">
        <Notice site={site} />
        <Button kind="primary" wide type="submit" busy={busy}>{t.leaveMessage}</Button>
      </div>
    </form>
  );
}
