import { expect, test } from "vitest";
import type { FieldSpec, SiteView } from "../wire/protocol.ts";
import { culprit, filled, LEAVE_FIELDS, missing, objectionTo, onlineDepartments } from "./form.ts";
import { refusal } from "./strings.ts";

const fields: FieldSpec[] = [
  { name: "name", label: "Name", kind: "text" },
  { name: "email", label: "Email", kind: "email", required: true },
  { name: "topic", label: "Topic", kind: "select", options: ["Crash", "Divorce"] },
];

test("vera is told which required field is empty, by its label (R-031)", () => {
  expect(missing(fields, { name: "Vera", email: "  " })).toEqual({ email: "Please fill in: Email" });
  expect(missing(fields, { email: "vera@example.test" })).toEqual({});
});

test("an address without an @ is pointed out before anything is sent", () => {
  expect(Object.keys(missing(fields, { email: "vera" }))).toEqual(["email"]);
});

test("optional fields may all stay blank, and a blank one is not sent (R-146)", () => {
  expect(missing(fields.filter((f) => !f.required), {})).toEqual({});
  expect(filled(fields, { name: " ", email: "v@x.test", topic: "" })).toEqual({ email: "v@x.test" });
});

test("nothing that was not asked for is sent (R-031)", () => {
  expect(filled(fields, { email: "v@x.test", left: "over from another form" })).toEqual({ email: "v@x.test" });
});

test("a name is sent as it was written (R-030)", () => {
  for (const name of ["李", "O'Brien", "<b>x</b>", "=1+1", "\u202eevil"]) expect(filled(fields, { name })["name"]).toBe(name);
});

test("the server's objection is shown at its field", () => {
  expect(culprit(fields, "email")).toBe("email");
  expect(culprit(fields, "fields.email")).toBe("email");
  expect(culprit(fields, "fields[email]")).toBe("email");
  expect(culprit(fields, "notice")).toBe("");
});

test("leaving a message asks for an address and a text, and for a name only who likes", () => {
  expect(Object.keys(missing(LEAVE_FIELDS, {}))).toEqual(["email", "text"]);
});

test("only departments with somebody online can be chosen for a chat (R-034)", () => {
  const site = { departments: [{ uid: "a", name: "Intake" }, { uid: "b", name: "Billing" }], online: ["b"] } as SiteView;
  expect(onlineDepartments(site).map((d) => d.name)).toEqual(["Billing"]);
});

test("what is too long is said in characters as people count them, before it is sent", () => {
  expect(missing(LEAVE_FIELDS, { email: "vera@example.test", text: "\u{1f600}".repeat(4000) })).toEqual({});
  const errors = missing(LEAVE_FIELDS, { name: "\u{1f600}".repeat(201), email: "vera@example.test", text: "a".repeat(4002) });
  expect(errors["name"]).toMatch(/^1 character too many/);
  expect(errors["text"]).toMatch(/^2 characters too many/);
});

test("what the server refuses is said by its code and the kind of field, never in the server's words (R-031)", () => {
  const field = (kind: FieldSpec["kind"]): FieldSpec => ({ name: "x", label: "Topic", kind });
  expect(objectionTo(field("email"), "bad_field")).toBe("This does not look like an email address.");
  expect(objectionTo(field("phone"), "bad_field")).toBe("This does not look like a phone number.");
  expect(objectionTo(field("select"), "missing_field")).toBe("Please choose one.");
  expect(objectionTo(field("checkbox"), "bad_field")).toBe("Please tick this to go on.");
  expect(objectionTo(field("text"), "missing_field")).toBe("Please fill in: Topic");
  expect(objectionTo(field("textarea"), "bad_field")).toBe("This cannot be used as it is. Please change it.");
  expect(refusal("unavailable")).toContain("Nothing was lost");
  expect(refusal("a_code_of_tomorrow")).toBeUndefined();
});

test("a box that the form has for consent to texts is nobody's duty, and is sent only when it was ticked (R-180)", () => {
  const boxes: FieldSpec[] = ["service", "marketing"].map((purpose) => ({ name: `sms_${purpose}_0123456789abcdef`, label: "I agree to receive text messages.", kind: "checkbox" }));
  const form = [...fields, ...boxes];
  expect(missing(form, { email: "vera@example.test" })).toEqual({});
  expect(filled(form, { email: "vera@example.test", [boxes[0]!.name]: "yes", [boxes[1]!.name]: "" })).toEqual({ email: "vera@example.test", [boxes[0]!.name]: "yes" });
});
