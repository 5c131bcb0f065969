/** In tests the parts that are fetched later lie where their sources do; the build names others (build.mjs). */
Object.assign(globalThis, {
  SOUND_FILE: "/src/chat/sound.ts",
  EXTRAS_FILE: "/src/chat/extras.ts",
  SURVEY_FILE: "/src/chat/survey.ts",
  WORK_FILE: "/src/wire/work.ts",
});
