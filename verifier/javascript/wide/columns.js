// Section 3 of docs/wide.md: what a proof sends in which round, by name. Bytes and bits of round 1 multiply something, so they are stated.

const RATIONAL_BYTES = ["value_high", "value_low", "rem_high", "rem_low", "room_high", "room_low"];
const KEYS = 3; // of one lookup column

const each = (circuit, names) => Array.from({ length: circuit.tracks }, (_, track) => names.map((name) => `${name}${track}`)).flat();

/** The columns of a hidden input. */
export const inputColumns = (circuit) => (circuit.hidden ? circuit.chunks.map((_, part) => `input${part}`) : []);

/** The byte and bit columns, in order. */
function traceColumns(circuit) {
  const lanes = each(circuit, ["top", "mid", "low", "sign", ...(circuit.saturates ? ["exact"] : [])]);
  const rational = circuit.rational ? each(circuit, [...RATIONAL_BYTES, ...(circuit.rational.halved ? ["odd_value"] : [])]) : [];
  return [...lanes, ...rational, ...inputColumns(circuit)];
}

/** Lookup columns by name: the byte columns whose keys each sums up. `top` has a key of its own kind. */
export function lookups(circuit) {
  const threes = (names, name) => Array.from({ length: Math.ceil(names.length / KEYS) }, (_, i) => [name(i), names.slice(i * KEYS, (i + 1) * KEYS)]);
  const found = [];
  for (let track = 0; track < circuit.tracks; track++) {
    const names = ["low", "mid", "top", ...(circuit.rational ? RATIONAL_BYTES : [])].map((name) => `${name}${track}`);
    found.push(...threes(names, (i) => `lookup${track}_${i}`));
  }
  return [...found, ...threes(inputColumns(circuit), (i) => `lookup_input${i}`)];
}

/** Columns with what the kernels of hidden convolutions meet: [name, layer, piece]. */
export const correlations = (circuit) =>
  circuit.rowColumns.filter(({ layer, piece }) => layer && piece !== undefined).map(({ layer, piece }) => [`conv${layer}_${piece}`, layer, piece]);

/** The rounds: names of points and scalars, and the challenges that follow; `stated`: columns whose value at rho is a scalar; `outputs`: how many. */
export function wideForm(circuit) {
  const [trace, conv] = [traceColumns(circuit), correlations(circuit).map(([name]) => name)];
  const sums = [...lookups(circuit).map(([name]) => name), "lookup_table", "fold", ...conv];
  const stated = [...trace, "lookup_table", ...conv];
  return {
    rounds: [
      { name: "trace", points: [...trace, "mult"], scalars: [], challenges: ["alpha", "beta", "gamma", "theta"] },
      ...(conv.length
        ? [{ name: "folded", points: sums, scalars: [], challenges: ["eta"] }, { name: "sums", points: ["sum"], scalars: [], challenges: ["delta"] }]
        : [{ name: "sums", points: [...sums, "sum"], scalars: [], challenges: ["delta"] }]),
      { name: "quotient", points: circuit.n === 2048 ? ["quotient", "quotient_high"] : ["quotient"], scalars: [], challenges: ["rho"] },
      { name: "evaluations", points: [], scalars: [...stated, "linearised_next"], challenges: ["nu"] },
      { name: "opening", points: ["opening"], scalars: [], challenges: ["zeta"] },
      { name: "final", points: ["final"], scalars: [], challenges: [] },
    ],
    stated,
    outputs: circuit.claim.kind === "logits" ? circuit.classes : 0,
  };
}
