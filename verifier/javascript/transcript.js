// Section 6, "Rounds": states s0, s1, ... and the challenges. s0 hashes the statement, so a proof is of one input alone.

import { ascii, join, keccak, number, signedWord, word } from "./bytes.js";
import { ORDER } from "./field.js";

/**
 * `rounds`: what is sent, by name; `statement`: digit, outputs, absorbed (the input's bytes, or its hiding points), context;
 * `points` are 96 bytes by name, `scalars` BigInts by name.
 */
export function transcript(rounds, circuitDigest, modelId, { digit, outputs = [], absorbed, context = new Uint8Array() }, points, scalars) {
  const said = join(word(digit), ...outputs.map(signedWord), absorbed, context);
  const [states, challenges] = [[keccak(keccak(ascii("zkpredict proof v1"), circuitDigest), modelId, said)], {}];
  for (const round of rounds.slice(0, -1)) {
    const sent = [...round.points.map((name) => points[name]), ...round.scalars.map((name) => word(scalars[name]))];
    const state = keccak(states.at(-1), ...sent);
    states.push(state);
    round.challenges.forEach((name, i) => {
      const drawn = i ? keccak(state, Uint8Array.of(i)) : state;
      challenges[name] = name === "rho" ? number(drawn.subarray(0, 30)) : number(drawn) % ORDER;
    });
  }
  return { states, challenges };
}
