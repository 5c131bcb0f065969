import { expect, test } from "vitest";
import { sayBusy } from "./busy.ts";

function page(busy?: string) {
  const heard: Record<string, (event: unknown) => void> = {};
  const on = { addEventListener: (name: string, f: (event: unknown) => void) => void (heard[name] = f) };
  sayBusy(on as unknown as Document, on as unknown as Window);
  const said = new Map<string, string>();
  const button = {
    dataset: busy ? { busy } : {}, textContent: "Verify now",
    setAttribute: (name: string, value: string) => void said.set(name, value),
    removeAttribute: (name: string) => void said.delete(name),
  };
  const form = {};
  const press = () => {
    const event = { target: form, submitter: button, defaultPrevented: false, preventDefault: () => void (event.defaultPrevented = true) };
    heard["submit"]?.(event);
    return !event.defaultPrevented;
  };
  return { press, button, said, comesBack: () => heard["pageshow"]?.({}) };
}

test("olga presses twice on a slow line: it is sent once, and the button says what it does", () => {
  const { press, button, said } = page("Checking…");
  expect([press(), press()]).toEqual([true, false]);
  expect(button.textContent).toBe("Checking…");
  expect(said.get("aria-disabled")).toBe("true");
});

test("she comes back to the page and may press again", () => {
  const { press, button, said, comesBack } = page("Checking…");
  press();
  comesBack();
  expect([button.textContent, said.size]).toEqual(["Verify now", 0]);
  expect(press()).toBe(true);
});

test("a button that begins nothing long is sent as often as it is pressed", () => {
  const { press, button } = page();
  expect([press(), press()]).toEqual([true, true]);
  expect(button.textContent).toBe("Verify now");
});
