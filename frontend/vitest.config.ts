import { defineConfig } from "vitest/config";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  test: { include: ["src/**/*.test.ts", "src/**/*.test.tsx"], setupFiles: ["src/chat/parts.setup.ts"], environment: "node", pool: "threads" },
} as Parameters<typeof defineConfig>[0]);
