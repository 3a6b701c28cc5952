// The public vectors, valid and invalid: node --test. In the folder of the repository.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { verify } from "zkpredict-verify";
import { runVectors } from "./vectors.mjs";

const read = (name) => JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), "utf8"));

for (const { file, kind, number, title, run } of runVectors(read)) {
  test(`${file}, ${kind} ${number}: ${title}`, run);
}

test("a package of this name is this one", async () => {
  assert.equal((await import("../../verifier/javascript/index.js")).verify, verify);
});
