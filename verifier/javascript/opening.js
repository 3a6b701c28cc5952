// Section 6: the six constraints at rho, split by what is stated, and the one pairing equation that opens everything.

import { inverse, mod, power, rootOfUnity } from "./field.js";
import { G1, TABLE, pairsWithTau } from "./points.js";

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

/**
 * The multiple of every point in F + zeta W', by name; `row0`, `row1`, ... are the model's rows, `generator` is [1].
 *
 *   F = sum_i nu^i V_i (C_i - [I_i(zeta)]) - V W,   claims: N at rho, limb, table at rho, cell at both, M at w rho
 */
export function fold(n, exponents, { constant, here, there }, challenges, scalars) {
  const { alpha, rho, nu, zeta } = challenges;
  const next = mod(rho * rootOfUnity(n));
  const [offHere, offThere] = [mod(zeta - rho), mod(zeta - next)];
  const slope = mod((scalars.cell_next - scalars.cell) * inverse(mod(next - rho)));
  const claims = [
    { V: offThere, value: -(constant + scalars.linearised_next), columns: here },
    { V: offThere, value: scalars.limb, columns: { limb: 1n } },
    { V: offThere, value: scalars.table, columns: { table: 1n } },
    { V: 1n, value: scalars.cell + slope * offHere, columns: { cell: 1n } },
    { V: offHere, value: scalars.linearised_next, columns: there },
  ];
  const total = { generator: 0n, opening: mod(-offHere * offThere), final: zeta };
  claims.forEach(({ V, value, columns }, i) => {
    const factor = mod(power(nu, i) * V);
    total.generator = mod(total.generator - factor * value);
    for (const [name, coefficient] of Object.entries(columns)) total[name] = mod((total[name] ?? 0n) + factor * coefficient);
  });
  let row = 0;
  exponents.forEach((ofLayer, layer) => {
    for (const exponent of ofLayer) total[`row${row++}`] = mod(total[`rows${layer}`] * power(alpha, exponent));
    delete total[`rows${layer}`];
  });
  return total;
}

/** e(sum of multiples, [1]) = e(W', [tau]). `points` and `rows` are decoded and checked. */
export function opens(multiples, points, rows) {
  const named = { ...points, table: TABLE, generator: G1.BASE, ...Object.fromEntries(rows.map((row, i) => [`row${i}`, row])) };
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
