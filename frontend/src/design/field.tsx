import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Icon } from "./icons.tsx";

export interface FieldProps {
  label: string;
  value: string;
  onValue: (value: string) => void;
  kind?: "text" | "email" | "phone" | "textarea" | "select" | "checkbox" | "password";
  required?: boolean;
  hint?: string;
  error?: string;
  options?: readonly { value: string; label: string }[];
  name?: string;
  autocomplete?: string;
  placeholder?: string;
  /** What stands behind the label of a field that may be left empty. */
  optionalWord?: string;
}

/** A labelled control with its hint and its error; both are read out with it. */
export function Field(props: FieldProps) {
  const id = useId();
  const { label, kind = "text", required = false, hint, error, optionalWord = "optional" } = props;
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  const control = {
    id,
    name: props.name,
    required,
    autocomplete: props.autocomplete,
    placeholder: props.placeholder,
    "aria-invalid": error ? ("true" as const) : undefined,
    "aria-describedby": described || undefined,
    dir: props.value && kind !== "select" ? ("auto" as const) : undefined, // an empty one is written like the page
  };
  const below = (
    <>
      {hint && <p class="field-hint" id={`${id}-hint`} dir="auto">{hint}</p>}
      {error && <p class="field-error" id={`${id}-error`}><Icon name="alert" />{error}</p>}
    </>
  );
  if (kind === "checkbox") {
    return (
      <div class="field">
        <label class="check" for={id}>
          <input {...control} type="checkbox" checked={props.value === "yes"} onChange={(e) => props.onValue(e.currentTarget.checked ? "yes" : "")} />
          <span dir="auto">{label}</span>
        </label>
        {below}
      </div>
    );
  }
  return (
    <div class="field">
      <div class="field-label">
        <label for={id} dir="auto">{label}</label>
        {!required && <span class="field-optional">{optionalWord}</span>}
      </div>
      {inner(props, control)}
      {below}
    </div>
  );
}

function inner({ kind = "text", value, onValue, options = [] }: FieldProps, control: object): ComponentChildren {
  const input = (e: { currentTarget: { value: string } }) => onValue(e.currentTarget.value);
  if (kind === "textarea") return <textarea {...control} class="input" value={value} onInput={input} />;
  if (kind === "select") {
    return (
      <select {...control} class="input" value={value} onChange={(e) => onValue(e.currentTarget.value)}>
        {options.map((o) => <option key={o.value} value={o.value}>{o.label}</option>)}
      </select>
    );
  }
  const type = kind === "phone" ? "tel" : kind;
  return <input {...control} class="input" type={type as "text"} value={value} onInput={input} />;
}
