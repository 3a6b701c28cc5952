// Section 6: the six constraints of a compact circuit at rho, split by what is stated, and the one pairing equation that opens everything.

import { inverse, mod, power, rootOfUnity } from "./field.js";
import { CODES, G1, TABLE, pairsWithTau } from "./points.js";

/** The constant c, and the coefficients of N (`here`, read at rho) and M (`there`, read at w rho), by column. */
export function linearise(layers, publics, { beta, delta }, scalars) {
  const { limb, cell, table, cell_next: cellNext } = scalars;
  const { lane_head: laneHead, limb_top: limbTop, pack_head: packHead, table_head: tableHead } = publics;
  const d = [0, 1, 2, 3, 4, 5].map((exponent) => power(delta, exponent));
  const slopes = mod((beta + limb) * (beta + table));

  // each constraint of section 4 as constant + coefficients of what no scalar states: [here, there]
  const sign = mod(laneHead * (-256n * cellNext - limb)); //          + 2 lane_head limb(next)
  const boolean = mod(limbTop * (cell * cell - cell));
  const relu = mod(limbTop * (cellNext - cell * (256n * limb - 32768n))); // - limb_top cell limb(next)
  const horner = mod((laneHead - 1n) * limb); //                       + horner(next) - (256 - 255 lane_head - pack_head) horner
  const linear = publics.constants; //                                 + linear(next) - linear - readout horner + weights
  const lookup = mod(tableHead * cell * (beta + limb) - (beta + table)); // + slopes (lookup(next) - lookup)
  const constant = [sign, boolean, relu, horner, linear, lookup].reduce((total, value, i) => mod(total + d[i] * value), 0n);

  const here = {
    horner: mod(-d[3] * (256n - 255n * laneHead - packHead) - d[4] * publics.readout),
    linear: mod(-d[4]),
    lookup: mod(-d[5] * slopes),
    quotient: mod(-publics.vanishing),
    rows0: mod(d[4] * publics.inputs),
  };
  for (let layer = 1; layer < layers; layer++) {
    here[`rows${layer}`] = mod(d[4] * (publics[`reads${layer}`] * cell + publics[`reads_next${layer}`] * cellNext + publics[`bias${layer}`]));
  }
  const there = { limb: mod(2n * d[0] * laneHead - d[2] * limbTop * cell), horner: d[3], linear: d[4], lookup: mod(d[5] * slopes) };
  return { constant, here, there };
}

/** What is opened in a compact circuit, by powers of nu: N at rho, limb, table at rho, cell at both, M at w rho. */
export const compactClaims = ({ constant, here, there }, scalars) => [
  { here: -(constant + scalars.linearised_next), columns: here },
  { here: scalars.limb, columns: { limb: 1n } },
  { here: scalars.table, columns: { table: 1n } },
  { here: scalars.cell, there: scalars.cell_next, columns: { cell: 1n } },
  { there: scalars.linearised_next, columns: there },
];

/** The same in a wide one: N at rho, everything stated at rho, M at w rho. */
export const wideClaims = ({ constant, here, there }, stated, scalars) => [
  { here: -(constant + scalars.linearised_next), columns: here },
  ...stated.map((name) => ({ here: scalars[name], columns: { [name]: 1n } })),
  { there: scalars.linearised_next, columns: there },
];

/**
 * The multiple of every point in F + zeta W', by name; `row0`, `row1`, ... are the model's rows, `generator` is [1].
 *
 *   F = sum_i nu^i V_i (C_i - [I_i(zeta)]) - V W
 *
 * `claims`: what is stated at rho (`here`) and w rho (`there`) of a sum of `columns`. `rowColumns`: columns of the model with their
 * rows' powers of alpha, in order; one that is `again` has the rows of the one before it; `copies`: of each row's further replicas.
 */
export function fold(n, rowColumns, claims, { alpha, rho, nu, zeta }) {
  const next = mod(rho * rootOfUnity(n));
  const [offHere, offThere] = [mod(zeta - rho), mod(zeta - next)];
  const total = { generator: 0n, opening: mod(-offHere * offThere), final: zeta };
  let weight = 1n;
  for (const { here, there, columns } of claims) {
    const beside = mod((here === undefined ? offHere : 1n) * (there === undefined ? offThere : 1n)); // V_i
    const slope = here === undefined || there === undefined ? 0n : mod((there - here) * inverse(mod(next - rho)));
    const factor = mod(weight * beside);
    total.generator = mod(total.generator - factor * ((here ?? there) + slope * offHere));
    for (const [name, coefficient] of Object.entries(columns)) total[name] = mod((total[name] ?? 0n) + factor * coefficient);
    weight = mod(weight * nu);
  }
  let first = 0;
  for (const { name, exponents, copies = [], again } of rowColumns) {
    if (again) first -= exponents.length;
    for (const [i, exponent] of exponents.entries()) {
      const weight = copies.reduce((sum, copy) => sum + power(alpha, copy[i]), power(alpha, exponent));
      total[`row${first}`] = mod((total[`row${first++}`] ?? 0n) + total[name] * mod(weight));
    }
  }
  for (const { name } of rowColumns) delete total[name];
  return total;
}

/** e(sum of multiples, [1]) = e(W', [tau]). `points` (the proof's, and those of the statement) and `rows` are decoded and checked. */
export function opens(multiples, points, rows) {
  const named = { ...points, table: TABLE, ...CODES, generator: G1.BASE, ...Object.fromEntries(rows.map((row, i) => [`row${i}`, row])) };
  const terms = Object.entries(multiples).map(([name, scalar]) => [named[name], scalar]);
  return pairsWithTau(sumOfMultiples(terms), points.final);
}

/** `sum scalar * point` with shared doublings and windows of four bits. */
function sumOfMultiples(terms) {
  const WINDOW = 4n;
  const tables = terms.map(([point]) => {
    const multiples = [G1.ZERO];
    while (multiples.length < 16) multiples.push(multiples.at(-1).add(point));
    return multiples;
  });
  let total = G1.ZERO;
  for (let shift = 252n; shift >= 0n; shift -= WINDOW) {
    for (let i = 0n; i < WINDOW; i++) total = total.double();
    terms.forEach(([, scalar], i) => {
      const digit = Number((scalar >> shift) & 15n);
      if (digit) total = total.add(tables[i][digit]);
    });
  }
  return total;
}
