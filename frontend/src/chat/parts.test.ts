import { afterEach, beforeEach, expect, test, vi } from "vitest";

let pressed: string[];

beforeEach(() => {
  pressed = [];
  vi.stubGlobal("SOUND_FILE", "data:text/javascript,");
  vi.stubGlobal("SURVEY_FILE", "data:text/javascript,");
  vi.stubGlobal("pressed", (what: string) => pressed.push(what));
});
afterEach(() => vi.unstubAllGlobals());

async function later(file: string) {
  vi.stubGlobal("EXTRAS_FILE", file);
  vi.resetModules();
  const parts = await import("./parts.ts");
  const button = {} as HTMLElement;
  return () => parts.later({ currentTarget: button }, (part) => part.emoji(button, null as never));
}

test("whoever presses twice while the emoji come finds them open and not put away again", async () => {
  const press = await later("data:text/javascript,export const emoji = () => pressed('emoji')//");
  press();
  press();
  await vi.waitFor(() => expect(pressed).toEqual(["emoji"]));
  press();
  await vi.waitFor(() => expect(pressed).toEqual(["emoji", "emoji"]));
});

test("where they cannot be had the next press asks again", async () => {
  const press = await later("data:text/javascript,throw pressed('tried')//");
  press();
  await vi.waitFor(() => expect(pressed).toEqual(["tried"]));
  await vi.waitFor(() => {
    press();
    expect(pressed).toEqual(["tried", "tried"]);
  });
});
