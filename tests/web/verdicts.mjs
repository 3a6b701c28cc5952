// Reads cases as JSON from stdin, [{commitment, image (or hidden), proof, context}] in hexadecimal; writes what the JavaScript verifier says of each.

import { readFileSync } from "node:fs";
import { Refusal, fromHex, parseHidden, verify } from "zkpredict-verify";

function verdict({ commitment, image, hidden, proof, context = "" }) {
  try {
    const input = hidden === undefined ? fromHex(image) : parseHidden(fromHex(hidden));
    const { claim, outputs, ...said } = verify(fromHex(commitment), input, fromHex(proof), fromHex(context));
    return { ...said, claim: `${claim.kind} ${claim.parameter}`, outputs: outputs.map(Number) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { refused: error.name, reason: error.message };
  }
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(verdict)));
