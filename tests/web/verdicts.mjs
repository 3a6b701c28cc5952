// Reads cases as JSON from stdin, [{commitment, image, proof, context}] in hexadecimal; writes what the JavaScript verifier says of each.

import { readFileSync } from "node:fs";
import { Refusal, fromHex, verify } from "zkpredict-verify";

function verdict({ commitment, image, proof, context = "" }) {
  try {
    return verify(fromHex(commitment), fromHex(image), fromHex(proof), fromHex(context));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { refused: error.name, reason: error.message };
  }
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(verdict)));
