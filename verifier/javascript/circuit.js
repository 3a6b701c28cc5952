// Section 3 of docs/protocol.md: a circuit's bytes, and where everything lies on its n rows.

import { ascii, equal, keccak } from "./bytes.js";
import { MAX_LAYERS, MAX_WIDTH } from "./limits.js";
import { readWide } from "./wide/circuit.js";

export const PACK_ROWS = 64;
export const LANE_ROWS = 4;
export const PACK_LANES = 10;
export const READOUT = PACK_LANES * LANE_ROWS;
const LANE_BITS = 24;
const MAX_DEGREE = 4095;
/** Circuits of other versions. */
const UNKNOWN = new Map([[4, "the arithmetic of the second edition"], [5, "max pools or residual sums"], [7, "strides or pools that differ by side"], [8, "rows of weights that all layers share"]]);

/** All packs of one layer, or of the differences: pack k lies at place `residue + k * stride`. */
class Group {
  constructor(outputs, lanes, slots, residue, stride) {
    Object.assign(this, { outputs, lanes, slots, residue, stride, bits: lanes * LANE_BITS, perPack: PACK_LANES / lanes });
    this.packs = Math.ceil(outputs / this.perPack);
  }

  /** First row of a slot. */
  row(slot) {
    return (this.residue + slot * this.stride) * PACK_ROWS;
  }

  /** What the values in use of a pack are offset by: 2^(bits - 1) each, most significant value first. */
  offset(pack) {
    let total = 0n;
    for (let place = 0; place < this.perPack && pack * this.perPack + place < this.outputs; place++) {
      total += 1n << BigInt(LANE_BITS * PACK_LANES - place * this.bits - 1);
    }
    return total;
  }

  /** A value as rows of `horner` with their factors: after it, less 2^bits times before it. */
  reads(index) {
    const [pack, place] = [Math.floor(index / this.perPack), index % this.perPack];
    const before = this.row(pack) + place * this.lanes * LANE_ROWS;
    const after = [before + this.lanes * LANE_ROWS, 1n];
    return place === 0 ? [after] : [after, [before, -(1n << BigInt(this.bits))]];
  }
}

/** One circuit shape; everything follows from `n`, `widths` and `lanes`. */
export class Circuit {
  constructor(bytes, n, widths, lanes) {
    Object.assign(this, { bytes, n, widths, lanes, layers: lanes.length, inputs: widths[0], classes: widths.at(-1) });
    this.digest = keccak(ascii("zkpredict circuit v1"), bytes);
    this.groups = place(n, widths, lanes);
    const packs = (layer) => this.groups[layer].packs;
    this.packsPerRow = lanes.map((_, layer) => (layer ? 2 : Math.min(Math.floor((n - 1) / (this.inputs + 1)), packs(0))));
    this.rowCounts = lanes.map((_, layer) => Math.ceil(packs(layer) / this.packsPerRow[layer]));
    this.rows = this.rowCounts.reduce((one, other) => one + other);
    this.claim = { kind: "class", parameter: 0n };
    // the power of alpha of each row: that of its first pack; `classEquations` is the first behind them
    let next = 0;
    this.exponents = this.rowCounts.map((count, layer) => Array.from({ length: count }, () => (next += this.packsPerRow[layer]) - this.packsPerRow[layer]));
    this.classEquations = next;
  }

  /** Every column of the model with its rows' powers of alpha, in the order of the commitment. */
  get rowColumns() {
    return this.exponents.map((exponents, layer) => ({ name: `rows${layer}`, exponents }));
  }
}

/** Reads a circuit of any kind; `reader.refuse` names what this verifier does not know. */
export function readCircuit(reader) {
  const version = reader.data[reader.position + 4];
  if (UNKNOWN.has(version) && equal(reader.data.subarray(reader.position, reader.position + 4), ascii("zkpC"))) {
    reader.refuse(`a circuit with ${UNKNOWN.get(version)}, which this verifier does not know`);
  }
  return [2, 3, 6].includes(version) ? readWide(reader, version) : readCompact(reader);
}

function readCompact(reader) {
  const start = reader.position;
  reader.expect("zkpC", 1, "circuit magic");
  const n = reader.unsigned(2, "domain");
  const layers = reader.unsigned(1, "layer count");
  if (layers < 1 || layers > MAX_LAYERS) reader.refuse(`layer count is ${layers}, expected 1 to ${MAX_LAYERS}`);
  const widths = Array.from({ length: layers + 1 }, (_, i) => reader.unsigned(4, `width ${i}`));
  const lanes = [...reader.take(layers, "lane widths")];
  if (n !== 1024 && n !== 2048) reader.refuse(`a domain of ${n} rows is not known here, only 1024 and 2048`);
  if (widths.some((width) => width < 1 || width > MAX_WIDTH)) reader.refuse(`layer widths must be 1 to ${MAX_WIDTH}, got ${widths}`);
  if (lanes.some((lane) => lane >> 4)) reader.refuse("a hidden layer has a gate other than ReLU, which this verifier does not know");
  if (lanes.some((lane) => lane !== 1 && lane !== 2) || lanes.at(-1) !== 2) reader.refuse(`lanes ${lanes}: expected 1 or 2 each, and 2 last`);
  if (widths[0] + 1 > n - 1) reader.refuse(`${widths[0]} inputs do not fit ${n} rows`);
  const slots = slotCounts(n, widths, lanes).reduce((one, other) => one + other);
  if (slots > n / PACK_ROWS) reader.refuse(`the network needs ${slots} packs of rows, ${n} rows have ${n / PACK_ROWS}`);
  return new Circuit(reader.data.slice(start, reader.position), n, widths, lanes);
}

/** Outputs and lanes of every group: one a layer, then the differences, which are as the logits. */
const shapes = (widths, lanes) => [...lanes.map((lane, layer) => [widths[layer + 1], lane]), [widths.at(-1), lanes.at(-1)]];

/** Powers of two that hold each group's packs; hidden groups take more where the quotient's degree needs it (section 7). */
function slotCounts(n, widths, lanes) {
  const least = 2 * n + 2 - MAX_DEGREE;
  return shapes(widths, lanes).map(([outputs, lane], number) => {
    const packs = Math.ceil(outputs / (PACK_LANES / lane));
    return 2 ** Math.ceil(Math.log2(number < lanes.length - 1 ? Math.max(packs, least) : packs));
  });
}

/** Groups take places largest first (equals in order); residues are bit-reversed, so that no two meet. */
function place(n, widths, lanes) {
  const [places, counts, found] = [n / PACK_ROWS, slotCounts(n, widths, lanes), []];
  const order = counts.map((_, number) => number).sort((one, other) => counts[other] - counts[one] || one - other);
  let taken = 0;
  for (const number of order) {
    const [outputs, lane] = shapes(widths, lanes)[number];
    const stride = places / counts[number];
    found[number] = new Group(outputs, lane, counts[number], reversed(taken / counts[number], Math.log2(stride)), stride);
    taken += counts[number];
  }
  return found;
}

const reversed = (value, bits) => (bits ? parseInt([...value.toString(2).padStart(bits, "0")].reverse().join(""), 2) : 0);
