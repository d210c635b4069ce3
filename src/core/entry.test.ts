import { expect, it } from "vitest";
import { compiledEntry } from "./entry.js";

it("maps a source module's neighbour to the build", () => {
  const url = compiledEntry("file:///a/src/b/src/models/chat.ts", "./worker.js");
  expect(url.href).toBe("file:///a/src/b/dist/models/worker.js");
});

it("keeps a compiled module's neighbour where it is", () => {
  const url = compiledEntry("file:///a/src/x/dist/models/chat.js", "./worker.js");
  expect(url.href).toBe("file:///a/src/x/dist/models/worker.js");
});
