// Section 2 of docs/wide.md: the constraints at rho, weighed by powers of delta, split by what is stated.

import { inverse, mod } from "../field.js";
import { evaluate } from "./activations.js";
import { correlations, inputColumns, lookups } from "./columns.js";
import { joinedReads } from "./replicas.js";

const [HALF_TOP, HALF, LARGEST_BYTE] = [128n, 1n << 15n, 255n];

/** The constant c, and the coefficients of what is read at rho (`here`) and at w rho (`there`), by column. `s`: stated values by name. */
export function lineariseWide(circuit, publics, challenges, s) {
  const [found, { delta }] = [{ constant: 0n, here: {}, there: {} }, challenges];
  const add = (into, terms, weight) => { for (const [name, value] of Object.entries(terms)) into[name] = mod((into[name] ?? 0n) + weight * value); };
  let weight = 1n;
  for (const [constant, here = {}, there = {}] of constraints(circuit, publics, challenges, s)) {
    found.constant = mod(found.constant + weight * constant);
    add(found.here, here, weight);
    add(found.there, there, weight);
    weight = mod(weight * delta);
  }
  found.here.quotient = mod(-publics.vanishing);
  if (publics.vanishing_high) found.here.quotient_high = mod(-publics.vanishing_high);
  return found;
}

/** Each constraint as [constant, coefficients here, coefficients there], in the order of their powers of delta. */
function* constraints(circuit, publics, challenges, s) {
  const tracks = Array.from({ length: circuit.tracks }, (_, track) => track);
  const bit = (name) => s[name] * s[name] - s[name];
  for (const track of tracks) {
    yield [bit(`sign${track}`)];
    if (!circuit.saturates) continue;
    yield [bit(`exact${track}`)];
    yield [s[`exact${track}`] * (s[`top${track}`] - HALF_TOP)];
  }
  if (circuit.rational) for (const track of tracks) yield* rational(circuit.rational, track, s, bit);
  for (const [part, name] of inputColumns(circuit).entries()) {
    const inside = mod(1n - publics.input_end);
    yield [inside * s[name], { [`committed${part}`]: -inside }];
  }
  yield* ranges(circuit, publics, challenges, s);

  const { idle, last } = publics;
  const step = (1n << 24n) + publics.pack_step * publics.pack_head - ((1n << 24n) - 1n) * idle;
  const lanes = tracks.reduceRight((total, track) => mod(total * publics.track_step + lane(s, track)), 0n);
  yield [-(1n - idle) * lanes, { fold: last - step }, { fold: 1n }];
  for (const track of tracks) if (`nonnegative${track}` in publics) yield [publics[`nonnegative${track}`] * s[`sign${track}`]];
  if (circuit.ranked) yield [circuit.output.tracks.reduce((total, track) => total + publics[`winner${track}`] * lane(s, track), 0n)];
  yield sum(circuit, publics, challenges, s);
}

/** floor(N(u)/D(u)) on a lane: quotient and remainder, and that D - 1 - remainder has two bytes as well. */
function* rational({ numerator, denominator, halved }, track, s, bit) {
  const u = argument(s, track);
  const size = mod((2n * s[`sign${track}`] - 1n) * u);
  const below = mod(evaluate(denominator, u, size));
  const [value, rem, room] = ["value", "rem", "room"].map((name) => word(s, name, track));
  if (halved) yield [bit(`odd_value${track}`)];
  const quotient = halved ? 2n * (value - HALF) + s[`odd_value${track}`] : value - HALF;
  yield [evaluate(numerator, u, size) - quotient * below - rem];
  yield [below - 1n - rem - room];
}

/** Each lookup column is the sum of its keys' inverses, `lookup_table` that of the table's entries as often as `mult` says. */
function* ranges(circuit, { tag, head }, { beta, gamma }, s) {
  for (const [name, columns] of lookups(circuit)) {
    const keys = columns.map((column) => {
      if (!column.startsWith("top")) return mod(beta + s[column]);
      const track = column.slice(3);
      return mod(beta + gamma * (1n + s[`sign${track}`]) + s[column] + (circuit.saturates ? s[`exact${track}`] : 0n));
    });
    const product = (left) => keys.reduce((total, key, i) => (i === left ? total : mod(total * key)), 1n);
    yield [-keys.reduce((total, _, i) => total + product(i), 0n), { [name]: product(-1) }];
  }
  const codes = circuit.saturates ? "codes_relu8" : "codes_relu";
  yield [s.lookup_table * (beta + gamma * tag), { [codes]: s.lookup_table, mult: -head }];
}

/** C(next) - C - [last S - largest M - weights - constants + theta (sum L - LT + theta spare)] */
function sum(circuit, publics, { theta }, s) {
  const here = { sum: -1n, fold: -publics.last, ...weights(circuit, publics, s) };
  for (const [name] of lookups(circuit)) here[name] = -theta;
  let constant = publics.constants + theta * s.lookup_table;
  if (circuit.ranked) constant += publics.largest * lane(s, 0);
  if (circuit.claim.kind === "margin") {
    const share = circuit.claim.parameter * inverse(BigInt(circuit.n));
    constant -= theta * mod(theta * (publics.spare * lane(s, 0) - share));
  }
  return [constant - correlation(circuit, publics, s), here, { sum: 1n }];
}

/** What each column of weights is multiplied with. */
function weights(circuit, publics, s) {
  const found = {};
  const { rowColumns } = circuit;
  for (const { name, layer, piece } of rowColumns) {
    if (piece !== undefined) found[name] = layer ? s[`conv${layer}_${piece}`] : publics[`patches${piece}`];
    else if (name.startsWith("rows0_private")) found[name] = hiddenInput(publics, s, Number(name.slice("rows0_private".length)));
    else if (name.startsWith("rows0_")) found[name] = publics[name.replace("rows0", "inputs")];
  }
  if (circuit.joined) return { ...found, ...joinedReads(circuit, publics, (layer, track) => activation(circuit, layer, track, s)) };
  for (let at = 1; at < circuit.layers; at++) {
    if (circuit.kernels(at)) continue;
    circuit.tracksOf(at - 1).forEach((track, number) => {
      const read = publics[`reads${at}_${track}`] * activation(circuit, at - 1, track, s);
      found[`rows${at}_${track}`] = mod(number ? read : read + publics.bias);
    });
  }
  return found;
}

const hiddenInput = ({ input_end: end, input_bias: bias }, s, part) => mod((1n - end - bias) * s[`input${part}`] + (part ? 0n : bias));

/** The check at eta: `conv` columns at their powers, less the activations that they stand for. */
function correlation(circuit, publics, s) {
  const parts = correlations(circuit);
  if (!parts.length) return 0n;
  let total = mod(parts.reduce((whole, [name], i) => whole + publics[`power${i}`] * s[name], 0n)) * publics.powers - publics.correlation_bias;
  const read = new Map(parts.flatMap(([, layer]) => circuit.tracksOf(layer - 1).map((track) => [`taps${track}_${circuit.activations[layer - 1].tag}`, [layer - 1, track]])));
  for (const [name, [layer, track]] of read) total -= publics[name] * activation(circuit, layer, track, s);
  return mod(total);
}

const lane = (s, track) => mod((s[`top${track}`] << 16n) + (s[`mid${track}`] << 8n) + s[`low${track}`]);
const argument = (s, track) => mod((s[`top${track}`] << 8n) + s[`mid${track}`] - HALF);
const word = (s, name, track) => (s[`${name}_high${track}`] << 8n) + s[`${name}_low${track}`];

/** What a hidden layer hands on from a lane of a track. */
function activation(circuit, layer, track, s) {
  const [{ name, numerator }, sign] = [circuit.activations[layer], s[`sign${track}`]];
  if (numerator) return mod(word(s, "value", track) - HALF);
  if (name === "relu") return mod(sign * argument(s, track));
  const exact = s[`exact${track}`];
  return mod(exact * s[`mid${track}`] + LARGEST_BYTE * (sign - exact));
}
