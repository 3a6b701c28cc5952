// Section 7 of docs/wide.md and docs/convolutions.md: the geometry of kernels, what each position reads, and where it lies.

import { MAX_WIDTH } from "../limits.js";
import { PACKS_PER_BLOCK } from "./geometry.js";

const MAX_SIDE = 1 << 10;
const FIELDS = ["height", "width", "channels", "kernelHeight", "kernelWidth", "stride", "padTop", "padLeft", "pool", "padBottom", "padRight"];

/** The geometry of one layer: sizes of what it reads, kernel, stride, padding, and the side of the windows that are added up before. */
export class Grid {
  constructor(sizes) {
    FIELDS.forEach((field, i) => { this[field] = sizes[i]; });
    [this.pooledHeight, this.pooledWidth] = [Math.floor(this.height / this.pool), Math.floor(this.width / this.pool)];
    this.down = Math.floor((this.pooledHeight + this.padTop + this.padBottom - this.kernelHeight) / this.stride) + 1;
    this.across = Math.floor((this.pooledWidth + this.padLeft + this.padRight - this.kernelWidth) / this.stride) + 1;
    this.count = this.down * this.across;
    this.taps = this.kernelHeight * this.kernelWidth * this.channels;
    this.inputs = this.height * this.width * this.channels;
    this.pooled = this.pooledHeight * this.pooledWidth * this.channels;
  }

  get inRange() {
    const sides = [this.height, this.width, this.channels, this.kernelHeight, this.kernelWidth, this.stride, this.pool];
    const padded = Math.max(this.padTop, this.padBottom) < this.kernelHeight && Math.max(this.padLeft, this.padRight) < this.kernelWidth;
    return sides.every((side) => side >= 1 && side <= MAX_SIDE) && padded && Math.min(this.pooledHeight, this.pooledWidth, this.down, this.across) >= 1;
  }

  /** For each tap the pooled number that a position reads; -1 outside the map. */
  window(position) {
    const [top, left] = [Math.floor(position / this.across) * this.stride - this.padTop, (position % this.across) * this.stride - this.padLeft];
    return Array.from({ length: this.taps }, (_, tap) => {
      const [at, channel] = [Math.floor(tap / this.channels), tap % this.channels];
      const [y, x] = [top + Math.floor(at / this.kernelWidth), left + (at % this.kernelWidth)];
      const inside = y >= 0 && y < this.pooledHeight && x >= 0 && x < this.pooledWidth;
      return inside ? (y * this.pooledWidth + x) * this.channels + channel : -1;
    });
  }

  /** The pooled number that a number of the map belongs to; -1 for what is left at the edges. */
  poolOf(number) {
    const [at, channel] = [Math.floor(number / this.channels), number % this.channels];
    const [y, x] = [Math.floor(Math.floor(at / this.width) / this.pool), Math.floor((at % this.width) / this.pool)];
    return y < this.pooledHeight && x < this.pooledWidth ? (y * this.pooledWidth + x) * this.channels + channel : -1;
  }
}

/** The grids behind a circuit's other bytes, undefined for a dense layer. */
export function readGrids(reader, { n, hidden, widths }) {
  const grids = widths.slice(1).map((_, layer) => {
    const flag = reader.unsigned(1, `grid of layer ${layer}`);
    if (flag > 1) reader.refuse(`the grid of layer ${layer} is announced by ${flag}, expected 0 or 1`);
    return flag ? new Grid(FIELDS.map((field) => reader.unsigned(2, `layer ${layer} ${field}`))) : undefined;
  });
  const kernels = grids.map((grid) => grid?.count > 1);
  if (hidden) reader.refuse("a circuit with convolutions has a public input");
  grids.forEach((grid, layer) => {
    if (!grid) return;
    if (!grid.inRange || grid.inputs > MAX_WIDTH) reader.refuse(`the sizes of layer ${layer} are out of range`);
    if (grid.inputs !== widths[layer] || widths[layer + 1] % grid.count) reader.refuse(`the grid of layer ${layer} does not fit its widths`);
    if (kernels[layer] && grid.taps + 2 > n) reader.refuse(`a kernel of layer ${layer} has ${grid.taps} weights, this verifier knows rows of up to ${n - 2}`);
  });
  if (!kernels[0] || kernels.at(-1)) reader.refuse("the first layer must be a convolution, and the last one have one position");
  return grids;
}

/** The pieces of a convolution that hold positions: the lowest exponent of each group there, and by how much each position's is above it. */
export function kernelPieces(circuit, layer) {
  const [groups, { count }, found] = [circuit.groups[layer], circuit.kernels(layer), []];
  let first = 0;
  for (const { size } of groups[0].pieces) {
    const end = first + PACKS_PER_BLOCK * size;
    const exponents = groups.map(({ packs }) => packs.slice(first, end).map(({ exponent }) => exponent));
    const lowest = exponents.map((own) => own.reduce((one, other) => Math.min(one, other)));
    const positions = exponents[0].slice(0, Math.max(0, count - first)).map((exponent, i) => ({ position: first + i, above: exponent - lowest[0] }));
    if (positions.length) found.push({ lowest, positions });
    first = end;
  }
  return found;
}

/** A convolution's rows: one for each group of channels, combined anew for each piece. */
export const kernelColumns = (circuit, layer) =>
  kernelPieces(circuit, layer).map(({ lowest }, piece) => ({ name: `kernels${layer}_${piece}`, layer, piece, exponents: lowest, again: piece > 0 }));

/** Track and row on which a hidden layer hands on each of its numbers. */
export function lanesOf(circuit, layer) {
  const [groups, grid] = [circuit.groups[layer], circuit.kernels(layer)];
  const channels = grid && circuit.widths[layer + 1] / grid.count;
  const { perPack } = groups[0];
  return Array.from({ length: circuit.widths[layer + 1] }, (_, number) => {
    if (!grid) return groups[0].lane(number);
    const [position, channel] = [Math.floor(number / channels), number % channels];
    return groups[Math.floor(channel / perPack)].lane(position * perPack + (channel % perPack));
  });
}
