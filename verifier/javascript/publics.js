// Sections 3 to 5: every public polynomial at rho, from its values on the rows (the image: from its coefficients).

import { LANE_ROWS, PACK_LANES, PACK_ROWS, READOUT } from "./circuit.js";
import { ORDER, inverse, inverses, mod, power, powers, rootOfUnity } from "./field.js";

/** True for the challenge points that section 6, check (5), refuses: 0 and the n-th roots of unity. */
export const meetsDomain = (n, rho) => rho === 0n || power(rho, n) === 1n;

/** The values of all public polynomials at rho, by name. */
export function publicPolynomials(circuit, digit, image, alpha, rho) {
  const { n } = circuit;
  const basis = lagrange(n, rho);
  const on = (rows) => mod(rows.reduce((total, row) => total + basis[row], 0n));
  const every = (step, first = 0) => Array.from({ length: n / step }, (_, i) => first + i * step);
  const scale = inverse(BigInt(n));
  const found = {
    lane_head: on(every(LANE_ROWS)),
    limb_top: on(every(LANE_ROWS, 1)),
    pack_head: on(every(PACK_ROWS)),
    table_head: on(every(n / 256)),
    ...linearCheck(circuit, digit, alpha, basis, scale),
    inputs: mod(imageAt(circuit, image, alpha, rho) * scale),
    vanishing: mod(power(rho, n) - 1n),
  };
  for (let layer = 1; layer < circuit.layers; layer++) {
    const group = circuit.groups[layer - 1];
    const heads = Array.from({ length: group.slots * PACK_LANES }, (_, i) => group.row(Math.floor(i / PACK_LANES)) + (i % PACK_LANES) * LANE_ROWS);
    found[`reads${layer}`] = on(heads.map((row) => row + 2));
    found[`reads_next${layer}`] = mod(alpha * on(heads.map((row) => row + 1)));
    found[`bias${layer}`] = mod(basis[3] + alpha * basis[7]);
  }
  return found;
}

/** L_i(rho) = (rho^n - 1)/n * w^i/(rho - w^i) for every row i. */
export function lagrange(n, rho) {
  const nodes = powers(rootOfUnity(n), n);
  const factor = mod((power(rho, n) - 1n) * inverse(BigInt(n)));
  return inverses(nodes.map((node) => mod(rho - node))).map((inverted, i) => mod(mod(factor * nodes[i]) * inverted));
}

/** `readout` and `constants`: the equations of section 5, equation e weighted by alpha^e. */
function linearCheck(circuit, digit, alpha, basis, scale) {
  const logits = circuit.groups[circuit.layers - 1];
  const differences = circuit.groups[circuit.layers];
  const equations = []; // [exponent, rows of horner with factors, constant]
  for (let layer = 0; layer < circuit.layers; layer++) {
    const group = circuit.groups[layer];
    for (let pack = 0; pack < group.packs; pack++) {
      equations.push([circuit.exponents[layer][0] + pack, [[group.row(pack) + READOUT, 1n]], group.offset(pack)]);
    }
  }
  let next = circuit.classEquations;
  const negated = (reads) => reads.map(([row, factor]) => [row, -factor]);
  for (let i = 0; i < circuit.classes; i++) {
    const reads = [...logits.reads(digit), ...negated(logits.reads(i)), ...negated(differences.reads(i))];
    equations.push([next++, reads, i < digit ? 1n : 0n]);
  }
  for (const group of circuit.groups.slice(0, circuit.layers - 1)) {
    for (let slot = group.packs; slot < group.slots; slot++) equations.push([next++, [[group.row(slot) + READOUT, 1n]], 0n]);
  }
  let [readout, constants] = [0n, 0n];
  for (const [exponent, reads, constant] of equations) {
    const weight = power(alpha, exponent);
    for (const [row, factor] of reads) readout = mod(readout + weight * factor * basis[row]);
    constants = mod(constants + weight * constant);
  }
  return { readout, constants: mod(constants * scale) };
}

/** X(rho): term i of (1, x), alpha (1, x), alpha^2 (1, x), ... stands at the exponent -i mod n: 0, then n - 1, n - 2, ... */
function imageAt(circuit, image, alpha, rho) {
  const [back, terms] = [inverse(rho), [1n, ...Array.from(image, BigInt)]];
  let [total, position, weight] = [0n, power(rho, circuit.n), 1n];
  for (let pack = 0; pack < circuit.packsPerRow[0]; pack++) {
    for (const [i, term] of terms.entries()) {
      total = mod(total + mod(weight * term) * (pack + i ? position : 1n));
      position = (position * back) % ORDER;
    }
    weight = mod(weight * alpha);
  }
  return total;
}
