import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { copyButtons } from "./copy.ts";

type Fake = { dataset: { copy: string }; hidden: boolean; textContent: string; press: () => Promise<void>; parentElement: { querySelector: () => unknown }; addEventListener: (_: string, f: () => Promise<void>) => void };
const source = { textContent: "<script …>" };
let status: { textContent: string };
let selected: unknown[];

function page(copy: string): { doc: Document; button: Fake } {
  status = { textContent: "" };
  selected = [];
  const button: Fake = {
    dataset: { copy }, hidden: true, textContent: "Copy", press: async () => undefined,
    parentElement: { querySelector: () => status },
    addEventListener: (_, f) => void (button.press = f),
  };
  const doc = {
    querySelectorAll: () => [button],
    getElementById: (id: string) => (id === "snippet" ? source : null),
    getSelection: () => ({ selectAllChildren: (node: unknown) => selected.push(node) }),
  };
  return { doc: doc as unknown as Document, button };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("a button copies what stands beside it, says so in words, and is itself again", async () => {
  const { doc, button } = page("snippet");
  const written: string[] = [];
  copyButtons(doc, async (text) => void written.push(text));
  expect(button.hidden).toBe(false);
  await button.press();
  expect(written).toEqual(["<script …>"]);
  expect([button.textContent, status.textContent]).toEqual(["Copied", "Copied"]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect([button.textContent, status.textContent]).toEqual(["Copy", ""]);
});

test("where copying is refused the text is selected, to be copied by hand", async () => {
  const { doc, button } = page("snippet");
  copyButtons(doc, async () => { throw new Error("not allowed"); });
  await button.press();
  expect(selected).toEqual([source]);
  expect(button.textContent).toBe("Selected: press Ctrl-C");
});

test("pressed twice it does not keep what it said for its name", async () => {
  const { doc, button } = page("snippet");
  copyButtons(doc, async () => undefined);
  await button.press();
  await vi.advanceTimersByTimeAsync(1_000);
  await button.press();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(button.textContent).toBe("Copy");
});

test("a button for nothing stays hidden", () => {
  const { doc, button } = page("nothing");
  copyButtons(doc, async () => undefined);
  expect(button.hidden).toBe(true);
});
