/** The two forms as data: what is asked, what is missing, and where the server's objection belongs. Pure. */
import { displayName } from "../design/names.ts";
import type { FieldSpec, SiteView } from "../wire/protocol.ts";
import { t } from "./strings.ts";

export type Values = Readonly<Record<string, string>>;
export type Errors = Readonly<Record<string, string>>;

export const LEAVE_FIELDS: readonly FieldSpec[] = [
  { name: "name", label: t.name, kind: "text" },
  { name: "email", label: t.email, kind: "email", required: true },
  { name: "text", label: t.message, kind: "textarea", required: true },
];

/** From a chat in which something was written already. */
export const LEAVE_FIELDS_ALONG: readonly FieldSpec[] = LEAVE_FIELDS.map((f) => (f.name === "text" ? { ...f, required: false, hint: t.goesAlong } : f));

/** What a site may ask, as the server writes it (`STANDARD_FIELDS`): a label that was left so is ours to say. */
const UNTOUCHED: Readonly<Record<string, string>> = { name: "Name", email: "Email", phone: "Phone" };
const UNTOUCHED_WELCOME = "How can we help?";

/** The site's fields with its own labels, or ours where it has written none. */
export function fieldsOf(site: SiteView): readonly FieldSpec[] {
  return site.fields.map((f) => (UNTOUCHED[f.name] === f.label ? { ...f, label: t[f.name as "name" | "email" | "phone"] } : f));
}

export function welcomeOf(site: SiteView): string {
  const own = displayName(site.welcome);
  return own === UNTOUCHED_WELCOME ? t.welcome : own || t.welcome;
}

/** In code points, as the server counts. */
const LONGEST_NAME = 200;
const LONGEST_EMAIL = 254;
const LONGEST_LINE = 500;
const LONGEST_ANSWER = 2000;
export const LONGEST_MESSAGE = 4000;

function longest(f: FieldSpec): number {
  if (f.kind === "textarea") return LEAVE_FIELDS.includes(f) || LEAVE_FIELDS_ALONG.includes(f) ? LONGEST_MESSAGE : LONGEST_ANSWER;
  if (f.kind === "email") return LONGEST_EMAIL;
  return f.kind === "text" && f.name === "name" ? LONGEST_NAME : LONGEST_LINE;
}

/** What the browser can tell without the server; the server decides. */
export function missing(fields: readonly FieldSpec[], values: Values): Errors {
  const errors: Record<string, string> = {};
  for (const f of fields) {
    const value = (values[f.name] ?? "").trim();
    if (f.required && !value) errors[f.name] = f.kind === "select" ? t.chooseOne : f.kind === "checkbox" ? t.tickThis : t.required(f.label);
    else if ([...value].length > longest(f)) errors[f.name] = t.tooLong([...value].length - longest(f));
    else if (f.kind === "email" && value && !/^[^\s@]+@[^\s@]+$/.test(value)) errors[f.name] = t.badEmail;
  }
  return errors;
}

/** The server's objection to a value, in words for its field: it is said by the kind, the server's sentence is for programs. */
export function objectionTo(f: FieldSpec, code: string): string {
  if (f.kind === "select") return t.chooseOne;
  if (f.kind === "checkbox") return t.tickThis;
  if (code === "missing_field") return t.required(f.label);
  return f.kind === "email" ? t.badEmail : f.kind === "phone" ? t.badPhone : t.badValue;
}

/** Only what was asked for and filled in: an unknown field would be refused, an empty one says nothing. */
export function filled(fields: readonly FieldSpec[], values: Values): Record<string, string> {
  const out: Record<string, string> = {};
  for (const f of fields) {
    const value = (values[f.name] ?? "").replaceAll("\0", "").trim();
    if (value) out[f.name] = value;
  }
  return out;
}

/** The server names a field as `email` or as `fields.email`; "" when it is none of this form's. */
export function culprit(fields: readonly FieldSpec[], field: string): string {
  const name = field.split(/[.[\]]+/).filter(Boolean).at(-1) ?? "";
  return fields.some((f) => f.name === name) ? name : "";
}

/** Departments that may be chosen for a chat: those with somebody online. */
export function onlineDepartments(site: SiteView) {
  return site.departments.filter((d) => site.online.includes(d.uid));
}

/** What a browser may fill in by itself. */
export function autocompleteOf(f: FieldSpec): string {
  if (f.kind === "email") return "email";
  if (f.kind === "phone") return "tel";
  return f.name === "name" ? "name" : "off";
}
