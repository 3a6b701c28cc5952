// Section 2 of docs/wide.md: every public polynomial at rho, from its values on the rows (the input: from its coefficients).

import { ORDER, inverse, mod, power, powers } from "../field.js";
import { lagrange } from "../publics.js";
import { correlations } from "./columns.js";
import { BIAS, BLOCK_ROWS, LARGEST, LESS_MARGIN, PACK_LANES } from "./geometry.js";
import { kernelPieces, lanesOf } from "./grids.js";
import { joinedPublics } from "./replicas.js";
import { LOGIT_LIMIT } from "./circuit.js";

const [TABLE_ROWS, TAGS, SPLIT] = [512, [0n, 1n, 0n, 2n], 3072];
const LANE = 1n << 24n;

/** By name. `statement`: digit, outputs (BigInts), image (bytes; unread when the input is hidden). */
export function widePublics(circuit, statement, { alpha, rho, eta }) {
  const { n } = circuit;
  const basis = lagrange(n, rho);
  const on = (rows) => mod(rows.reduce((total, row) => total + basis[row], 0n));
  const every = (test) => on(Array.from({ length: n }, (_, row) => row).filter(test));
  const alphas = powers(alpha, circuit.folded + circuit.output.used);
  const vanishing = mod(power(rho, n) - 1n);
  const found = {
    head: every((row) => row % (n / TABLE_ROWS) === 0),
    tag: tagAt(power(rho, TABLE_ROWS / TAGS.length)),
    idle: every((row) => row % BLOCK_ROWS >= 3 * PACK_LANES),
    pack_head: every((row) => row % BLOCK_ROWS < 3 * PACK_LANES && (row % BLOCK_ROWS) % PACK_LANES === 0),
    last: basis[n - 1],
    pack_step: mod(alpha * inverse(power(LANE, PACK_LANES - 1)) - LANE),
    track_step: power(alpha, circuit.folded / circuit.tracks),
    constants: mod(constants(circuit, statement, alphas) * inverse(BigInt(n))),
    vanishing,
    ...claimed(circuit, statement.digit, alphas, basis, on),
    ...inputsAt(circuit, statement.image, alpha, rho, basis),
    ...correlated(circuit, alphas, eta, basis),
  };
  if (n === 2048) found.vanishing_high = mod(vanishing * power(rho, SPLIT));
  if (circuit.joined) return { ...found, ...joinedPublics(circuit, alphas, basis, on) };
  for (let layer = 1; layer < circuit.layers; layer++) {
    if (circuit.kernels(layer)) continue;
    found.bias = basis[BIAS];
    for (const track of circuit.tracksOf(layer - 1)) found[`reads${layer}_${track}`] = on(circuit.groups[layer - 1].flatMap((band) => band.rowsOn(track)));
  }
  return found;
}

/** The tags, which repeat every four places of the table, as a polynomial in Y = X^128. */
const tagAt = (y) => mod(lagrange(TAGS.length, y).reduce((total, value, i) => total + value * TAGS[i], 0n));

/** All packs of hidden layers hold offsets; those of the last layer lack what the claim takes away. */
function constants(circuit, { digit, outputs }, alphas) {
  let total = 0n;
  for (const band of circuit.groups.slice(0, -1).flat()) {
    const offset = band.heads.reduce((packed) => (packed << band.bits) + (1n << (band.bits - 1n)), 0n);
    const weight = band.packs.reduce((sum, { exponent }) => sum + alphas[exponent], 0n);
    total = mod(total + mod(weight) * offset);
  }
  const { kind, parameter } = circuit.claim;
  const taken = {
    class: (i) => LOGIT_LIMIT + (i < digit ? 1n : 0n),
    margin: (i) => LOGIT_LIMIT + (i === digit ? 0n : parameter),
    logits: (i) => outputs[i],
    threshold: () => parameter,
  }[kind];
  return mod(total - weighted(circuit.output, Array.from({ length: circuit.classes }, (_, i) => taken(i)), alphas));
}

const weighted = (band, values, alphas) => {
  const { exponents } = band;
  return mod(band.packed(values).reduce((total, pack, i) => total + pack * alphas[exponents[i]], 0n));
};

/** Signs that must be zero; where the largest logit lies, and the difference that must be zero. */
function claimed({ claim, output, ranked, classes }, digit, alphas, basis, on) {
  if (claim.kind === "logits") return {};
  const signs = Object.fromEntries(output.tracks.map((track) => [track, output.rowsOn(track)]));
  if (!ranked) return nonnegative(signs, on);
  (signs[0] ??= []).push(LARGEST[0]);
  const winner = output.lane(digit);
  const found = { largest: mod(weighted(output, Array(classes).fill(1n), alphas) * (LANE * basis[LARGEST[0]] + basis[LARGEST[1]])) };
  for (const track of output.tracks) found[`winner${track}`] = track === winner.track ? on([winner.row, winner.row + 1]) : 0n;
  if (claim.kind === "margin") found.spare = mod(LANE * (basis[LARGEST[0]] - basis[LESS_MARGIN[0]]) + basis[LARGEST[1]] - basis[LESS_MARGIN[1]]);
  return { ...found, ...nonnegative(signs, on) };
}

const nonnegative = (signs, on) => Object.fromEntries(Object.entries(signs).map(([track, rows]) => [`nonnegative${track}`, on(rows)]));

/** What first-layer rows meet: term k at the exponent -k mod n, over n. */
function inputsAt(circuit, image, alpha, rho, basis) {
  const { n } = circuit;
  if (circuit.hidden) return { input_bias: basis[n - 2], input_end: basis[n - 1] };
  const back = powers(inverse(rho), n);
  const [whole, scale] = [power(rho, n), inverse(BigInt(n))];
  const at = (terms) => mod(terms.reduce((total, term, k) => (term ? mod(total + mod(term * back[k]) * (k ? whole : 1n)) : total), 0n) * scale);
  const found = {};
  if (circuit.kernels(0)) {
    kernelPieces(circuit, 0).forEach(({ positions }, piece) => { found[`patches${piece}`] = at(firstCorrelation(circuit.grids[0], positions, image, alpha)); });
    return found;
  }
  [...circuit.inputRows().keys()].forEach((step, number) => {
    const ratio = powers(power(alpha, step), circuit.share);
    circuit.chunks.forEach(([first, end], chunk) => {
      const own = [...(chunk ? [] : [1n]), ...Array.from(image.subarray(first, end), BigInt)];
      found[`inputs_${number}_${chunk}`] = at(ratio.flatMap((weight) => own.map((value) => mod(weight * value))));
    });
  });
  return found;
}

/** q of the first layer for one piece: sum over positions of their powers, then for each tap of what it reads there. */
function firstCorrelation(grid, positions, image, alpha) {
  const sums = Array(grid.pooled).fill(0);
  image.forEach((value, number) => { if (grid.poolOf(number) >= 0) sums[grid.poolOf(number)] += value; });
  const terms = Array(1 + grid.taps).fill(0n);
  for (const { position, above } of positions) {
    const weight = power(alpha, above);
    terms[0] += weight;
    grid.window(position).forEach((number, tap) => { if (sums[number]) terms[1 + tap] += weight * BigInt(sums[number]); });
  }
  return terms.map(mod);
}

/** The check at eta that `conv` columns are what they are called: column i, row j at eta^(1 + n i + j). */
function correlated(circuit, alphas, eta, basis) {
  const parts = correlations(circuit);
  if (!parts.length) return {};
  const etas = powers(eta, circuit.n);
  const found = { powers: mod(basis.reduce((total, value, row) => total + value * etas[row], 0n)) };
  let bias = 0n;
  parts.forEach(([, layer, piece], i) => {
    const [grid, scale] = [circuit.grids[layer], power(eta, 1 + circuit.n * i)];
    const { positions } = kernelPieces(circuit, layer)[piece];
    const read = Array(grid.pooled).fill(0n);
    for (const { position, above } of positions) {
      const weight = mod(scale * alphas[above]);
      bias += weight;
      grid.window(position).forEach((number, tap) => { if (number >= 0) read[number] += weight * etas[1 + tap]; });
    }
    const reduced = read.map(mod);
    const { tag } = circuit.activations[layer - 1]; // lanes of one track and one activation are read together
    for (const track of circuit.tracksOf(layer - 1)) found[`taps${track}_${tag}`] ??= 0n;
    lanesOf(circuit, layer - 1).forEach(({ track, row }, number) => {
      const pooled = grid.poolOf(number);
      if (pooled >= 0) found[`taps${track}_${tag}`] += reduced[pooled] * basis[row];
    });
    found[`power${i}`] = scale;
  });
  for (const name of Object.keys(found)) found[name] %= ORDER;
  return { ...found, correlation_bias: mod(bias * inverse(BigInt(circuit.n))) };
}
