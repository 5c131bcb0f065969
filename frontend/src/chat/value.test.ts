import { expect, test, vi } from "vitest";
import { Value } from "./value.ts";

test("whoever watches is told of each change, and of nothing after turning away", () => {
  const draft = new Value("a");
  const told = vi.fn();
  const away = draft.watch(told);
  draft.value = "b";
  draft.value = "b";
  expect([draft.value, told.mock.calls.length]).toEqual(["b", 1]);
  away();
  draft.value = "c";
  expect(told).toHaveBeenCalledTimes(1);
});

test("somebody may turn away while being told", () => {
  const draft = new Value(0);
  const away = draft.watch(() => away());
  const told = vi.fn();
  draft.watch(told);
  draft.value = 1;
  draft.value = 2;
  expect(told).toHaveBeenCalledTimes(2);
});
