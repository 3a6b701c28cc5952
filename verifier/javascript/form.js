// What a proof sends in which round (section 6), and where each part lies in its file.

import { Circuit } from "./circuit.js";
import { wideForm } from "./wide/columns.js";

export const COMPACT = {
  rounds: [
    { name: "trace", points: ["limb", "horner", "cell"], scalars: [], challenges: ["alpha", "beta"] },
    { name: "sums", points: ["linear", "lookup"], scalars: [], challenges: ["delta"] },
    { name: "quotient", points: ["quotient"], scalars: [], challenges: ["rho"] },
    { name: "evaluations", points: [], scalars: ["limb", "cell", "table", "cell_next", "linearised_next"], challenges: ["nu"] },
    { name: "opening", points: ["opening"], scalars: [], challenges: ["zeta"] },
    { name: "final", points: ["final"], scalars: [], challenges: [] },
  ],
  outputs: 0,
};

export const formOf = (circuit) => (circuit instanceof Circuit ? COMPACT : wideForm(circuit));

/** Name, first byte and length of each part of a proof in a circuit, for those who show or change one. */
export function proofParts({ circuit }) {
  const { rounds, outputs } = formOf(circuit);
  const names = (kind) => rounds.flatMap((round) => round[kind]);
  const sizes = [
    ["magic", 5], ["model id", 32], ["digit", 2],
    ...Array.from({ length: outputs }, (_, i) => [`output ${i}`, 8]),
    ...names("points").map((name) => [`point ${name}`, 48]),
    ...names("scalars").map((name) => [`scalar ${name}`, 32]),
  ];
  let start = 0;
  return sizes.map(([name, length]) => ({ name, start: (start += length) - length, length }));
}
