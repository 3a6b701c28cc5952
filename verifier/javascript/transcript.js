// Section 6, "Rounds": states s0 to s5 and the six challenges. s0 hashes the statement, so a proof is of one image alone.

import { ascii, join, keccak, number, word } from "./bytes.js";
import { SCALARS } from "./files.js";
import { ORDER } from "./field.js";

/** `points` are 96 bytes by name, `scalars` BigInts by name; `context`: 32 bytes, or none. */
export function transcript(circuitDigest, modelId, digit, image, points, scalars, context = new Uint8Array()) {
  const said = [
    join(points.limb, points.horner, points.cell),
    join(points.linear, points.lookup),
    points.quotient,
    join(...SCALARS.map((name) => word(scalars[name]))),
    points.opening,
  ];
  const states = [keccak(keccak(ascii("zkpredict proof v1"), circuitDigest), modelId, word(digit), image, context)];
  for (const message of said) states.push(keccak(states.at(-1), message));
  const drawn = (state) => number(state) % ORDER;
  const challenges = {
    alpha: drawn(states[1]),
    beta: drawn(keccak(states[1], Uint8Array.of(1))),
    delta: drawn(states[2]),
    rho: number(states[3].subarray(0, 30)),
    nu: drawn(states[4]),
    zeta: drawn(states[5]),
  };
  return { states, challenges };
}
