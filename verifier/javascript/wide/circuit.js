// A wide circuit's bytes (section 3 of docs/wide.md; with grids: section 7; with replicas: section 8), and everything that follows from them.

import { ascii, keccak } from "../bytes.js";
import { MAX_LAYERS, MAX_WIDTH } from "../limits.js";
import { RELU, RELU8, readRational } from "./activations.js";
import { kernelColumns, readGrids } from "./grids.js";
import { copiesOf, joinedRows, readJoined } from "./replicas.js";
import { Band, DOUBLE, PACKS_PER_BLOCK, PACK_LANES, BLOCK_ROWS, packsOf, place } from "./geometry.js";

export const CLAIMS = ["class", "margin", "logits", "threshold"];
export const LOGIT_LIMIT = 1n << 46n;
const [MAX_TRACKS, MAX_CLASSES, PRIVATE, SLOTTED] = [64, 1000, 128, 64];
/** Least and largest number of a claim. */
const NUMBERS = { margin: [1n, LOGIT_LIMIT - 1n], threshold: [1n - LOGIT_LIMIT, LOGIT_LIMIT - 1n] };

/** `claim`: { kind, parameter }; `groups`: the bands of each layer; `rowColumns`: { name, exponents, copies, again } in the order of
 *  the commitment, with the exponents of further replicas in `copies`. */
export class WideCircuit {
  constructor(bytes, said) {
    const { n, widths, lanes, activations, claim, grids = [] } = said;
    Object.assign(this, said, { bytes, grids, layers: widths.length - 1, inputs: widths[0], classes: widths.at(-1) });
    this.digest = keccak(ascii("zkpredict circuit v1"), bytes);
    this.rational = activations.find((one) => "numerator" in one);
    this.saturates = activations.includes(RELU8);
    this.ranked = ["class", "margin"].includes(claim.kind);
    const wanted = Array.from({ length: this.layers }, (_, layer) => this.#wanted(layer, lanes[layer] ?? DOUBLE));
    const { bands, tracks } = place(n, wanted.flat(), Boolean(said.joined));
    this.tracks = tracks;
    this.folded = (PACKS_PER_BLOCK * n * tracks) / BLOCK_ROWS; // powers of alpha that the fold uses
    this.groups = wanted.map(({ length }) => bands.splice(0, length));
    if (claim.kind === "logits") this.groups[this.layers - 1] = [publicOutputs(this.classes, this.folded)];
    this.output = this.groups[this.layers - 1][0];
  }

  /** The numbers and lanes of a layer's bands: one for each group of channels of a convolution, or replica; none for public outputs. */
  #wanted(layer, lanes) {
    if (layer === this.layers - 1 && this.claim.kind === "logits") return [];
    const grid = this.kernels(layer);
    if (!grid) return Array(copiesOf(this, layer)).fill([this.widths[layer + 1], lanes]);
    const perPack = PACK_LANES / lanes;
    return Array(Math.ceil(this.widths[layer + 1] / grid.count / perPack)).fill([grid.count * perPack, lanes]);
  }

  /** The grid of a layer that is a convolution: one with more positions than one. */
  kernels(layer) {
    return this.grids[layer]?.count > 1 ? this.grids[layer] : undefined;
  }

  tracksOf(layer) {
    return [...new Set(this.groups[layer].flatMap(({ tracks }) => tracks))].sort((one, other) => one - other);
  }

  /** Every column of the model with its rows' powers of alpha. */
  get rowColumns() {
    const found = this.kernels(0) ? kernelColumns(this, 0) : this.#inputColumns();
    if (this.joined) return [...found, ...joinedRows(this).map(({ name }) => ({ name, exponents: [0] }))];
    for (let layer = 1; layer < this.layers; layer++) {
      if (this.kernels(layer)) found.push(...kernelColumns(this, layer));
      else found.push(...this.tracksOf(layer - 1).map((track) => ({ name: `rows${layer}_${track}`, exponents: this.groups[layer][0].exponents })));
    }
    return found;
  }

  #inputColumns() {
    const [band] = this.groups[0];
    if (this.hidden) return this.chunks.map((_, part) => ({ name: `rows0_private${part}`, exponents: band.exponents }));
    const [own, ...copies] = this.groups[0].map((replica) => this.inputRows(replica));
    return [...own].flatMap(([step, exponents], number) =>
      this.chunks.map((_, chunk) => ({ name: `rows0_${number}_${chunk}`, exponents, copies: copies.map((copy) => copy.get(step)) })));
  }

  get rows() {
    return this.rowColumns.reduce((total, { exponents, again }) => total + (again ? 0 : exponents.length), 0);
  }

  /** Packs of the first layer that share a row. */
  get share() {
    return Math.max(1, Math.floor((this.n - 1) / (this.inputs + 1)));
  }

  /** First-layer rows by step, which is by how much the exponents of the packs of a row differ: the lowest exponent of each row. */
  inputRows(band = this.groups[0][0]) {
    const found = new Map();
    const runs = band.pieces.flatMap(({ positions, stride, size }) => Array(positions.length).fill({ step: PACKS_PER_BLOCK * stride, size }));
    let left = band.exponents;
    for (const { step, size } of runs.length ? runs : [{ step: 1, size: left.length }]) {
      const own = left.slice(0, size);
      left = left.slice(size);
      const rows = Array.from({ length: Math.ceil(own.length / this.share) }, (_, i) => own[Math.min((i + 1) * this.share, own.length) - 1]);
      if (rows.length) found.set(step, [...(found.get(step) ?? []), ...rows]);
    }
    return found;
  }

  /** The inputs that each chunk of a first-layer row reads: [first, one behind the last]. */
  get chunks() {
    const [size, first] = this.hidden ? [this.n - 2, this.n - 2] : [this.n - 1, this.n - 2];
    const ends = [Math.min(first, this.inputs)];
    while (ends.at(-1) < this.inputs) ends.push(Math.min(ends.at(-1) + size, this.inputs));
    return ends.map((end, i) => [i ? ends[i - 1] : 0, end]);
  }
}

/** Outputs that are public numbers: their packs lie nowhere, their exponents follow those of the fold, the last pack's first. */
function publicOutputs(classes, folded) {
  const packs = packsOf(classes, DOUBLE);
  const found = new Band(classes, DOUBLE, Array.from({ length: packs }, (_, i) => ({ exponent: folded + packs - 1 - i })));
  return Object.assign(found, { tracks: [] });
}

/** Reads a wide circuit behind its magic's four letters; `version` is 2, 3 for one with grids, 6 for one with replicas. */
export function readWide(reader, version) {
  const start = reader.position;
  reader.expect("zkpC", version, "circuit magic");
  const n = reader.unsigned(2, "domain");
  const byte = reader.unsigned(1, "claim");
  if (byte & SLOTTED) reader.refuse("a circuit with slots for a batch, which this verifier does not know");
  const claim = { kind: CLAIMS[byte & ~PRIVATE], parameter: reader.signed64("claim number") };
  const hidden = byte >= PRIVATE;
  const layers = reader.unsigned(1, "layer count");
  if (layers < 1 || layers > MAX_LAYERS) reader.refuse(`layer count is ${layers}, expected 1 to ${MAX_LAYERS}`);
  const widths = Array.from({ length: layers + 1 }, (_, i) => reader.unsigned(4, `width ${i}`));
  const tagged = [...reader.take(layers - 1, "lane widths")];
  const known = [RELU, RELU8];
  if (tagged.some((one) => one >> 4 > 1)) known.push(readRational(reader));
  const activations = tagged.map((one) => known.find(({ tag }) => tag === one >> 4));
  const said = { n, claim, hidden, widths, lanes: tagged.map((one) => one & 15), activations };
  refuseUnless(reader, said);
  if (version === 3) said.grids = readGrids(reader, said);
  if (version === 6) said.joined = readJoined(reader, said);
  const found = new WideCircuit(reader.data.slice(start, reader.position), said);
  if (found.tracks > MAX_TRACKS) reader.refuse(`the network needs ${found.tracks} tracks of ${n} rows, at most ${MAX_TRACKS} fit`);
  return found;
}

function refuseUnless(reader, { n, claim: { kind, parameter }, widths, lanes, activations }) {
  if (![512, 1024, 2048].includes(n)) reader.refuse(`a domain of ${n} rows is not known here, only 512, 1024 and 2048`);
  if (widths.some((width) => width < 1 || width > MAX_WIDTH)) reader.refuse(`layer widths must be 1 to ${MAX_WIDTH}, got ${widths}`);
  if (lanes.some((lane) => lane !== 1 && lane !== 2)) reader.refuse(`lanes ${lanes}: expected 1 or 2 each`);
  if (activations.includes(undefined)) reader.refuse("a hidden layer has an activation that the circuit does not describe");
  if (!kind) reader.refuse("the claim is none of class, margin, logits and threshold");
  const [least, largest] = NUMBERS[kind] ?? [0n, 0n];
  if (parameter < least || parameter > largest) reader.refuse(`the claim ${kind} takes a number in ${least}..${largest}, got ${parameter}`);
  const classes = widths.at(-1);
  if (classes > MAX_CLASSES) reader.refuse(`a circuit has at most ${MAX_CLASSES} classes, got ${classes}`);
  if (kind === "threshold" ? classes !== 1 : kind !== "logits" && classes === 1) reader.refuse(`the claim ${kind} does not fit ${classes} outputs`);
}
