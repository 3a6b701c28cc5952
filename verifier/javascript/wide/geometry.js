// Section 1 of docs/wide.md: where packs lie on tracks of n rows, and the power of alpha of each.

export const [BLOCK_ROWS, PACKS_PER_BLOCK, PACK_LANES, LANE_BITS] = [32, 3, 10, 24];
export const [NARROW, DOUBLE] = [1, 2];
/** Rows of M, of M - m, of a value row's bias. */
export const [LARGEST, LESS_MARGIN, BIAS] = [[30, 31], [62, 63], 30];

/** `values` numbers of `lanes` lanes, in order in `packs`: { track, row, exponent }, of which those behind the first `used` are to spare. */
export class Band {
  constructor(values, lanes, packs, pieces = []) {
    Object.assign(this, { values, lanes, packs, pieces, perPack: PACK_LANES / lanes, bits: BigInt(lanes * LANE_BITS) });
    this.used = packsOf(values, lanes);
    this.heads = Array.from({ length: this.perPack }, (_, place) => place * lanes);
    this.tracks = [...new Set(packs.map(({ track }) => track))].sort((one, other) => one - other);
  }

  get exponents() {
    return this.packs.slice(0, this.used).map(({ exponent }) => exponent);
  }

  /** Track and row of the highest lane of a value. */
  lane(index) {
    const { track, row } = this.packs[Math.floor(index / this.perPack)];
    return { track, row: row + (index % this.perPack) * this.lanes };
  }

  /** Rows of all highest lanes on a track, those of places and packs to spare as well. */
  rowsOn(track) {
    return this.packs.filter((pack) => pack.track === track).flatMap(({ row }) => this.heads.map((place) => row + place));
  }

  /** Packs in use as numbers: their values one after another, most significant first, zeros behind the last. */
  packed(values) {
    return Array.from({ length: this.used }, (_, pack) =>
      this.heads.reduce((total, __, place) => (total << this.bits) + (values[pack * this.perPack + place] ?? 0n), 0n));
  }
}

export const packsOf = (values, lanes) => Math.ceil(values / (PACK_LANES / lanes));

/** Bands for `wanted`, [values, lanes] each, on tracks of n rows; and how many tracks there are. `single`: a piece has one position of its
 *  blocks, as if each position were a track (section 8). */
export function place(n, wanted, single = false) {
  const blocks = n / BLOCK_ROWS;
  const share = single ? PACKS_PER_BLOCK : 1; // such tracks in one of the trace
  const sizes = wanted.flatMap((one, band) => cover(Math.ceil((packsOf(...one) * share) / PACKS_PER_BLOCK), blocks).map((size) => ({ size, band })));
  sizes.sort((one, other) => other.size - one.size); // largest first, equals in order
  const pieces = wanted.map(() => []);
  let taken = 0;
  for (const { size, band } of sizes) {
    const [stride, at] = [blocks / size, Math.floor(taken / blocks)];
    const positions = single ? [at % share] : [0, 1, 2];
    pieces[band].push({ track: Math.floor(at / share), positions, residue: reversed((taken % blocks) / size, Math.log2(stride)), stride, size });
    taken += size;
  }
  const bands = wanted.map(([values, lanes], band) => new Band(values, lanes, pieces[band].flatMap((piece) => packsIn(piece, blocks)), pieces[band]));
  return { bands, tracks: Math.max(1, Math.ceil(Math.ceil(taken / blocks) / share)) };
}

/** Packs of a piece: position by position, block by block. */
function packsIn({ track, positions, residue, stride, size }, blocks) {
  return Array.from({ length: positions.length * size }, (_, i) => {
    const [position, block] = [positions[Math.floor(i / size)], residue + (i % size) * stride];
    const exponent = PACKS_PER_BLOCK * (blocks * track + blocks - 1 - block) + PACKS_PER_BLOCK - 1 - position;
    return { track, row: block * BLOCK_ROWS + position * PACK_LANES, exponent };
  });
}

/** Sizes of pieces for so many blocks: whole tracks, then one power of two, or two where that is less in all. */
function cover(blocks, perTrack) {
  const above = (count) => 2 ** Math.ceil(Math.log2(count));
  const [whole, rest] = [Array(Math.floor(blocks / perTrack)).fill(perTrack), blocks % perTrack];
  if (!rest) return whole;
  const below = above(rest) / 2;
  const two = rest > below && below >= 1 ? [below, above(rest - below)] : [];
  return [...whole, ...(two.length && two[0] + two[1] < above(rest) ? two : [above(rest)])];
}

const reversed = (value, bits) => (bits ? parseInt([...value.toString(2).padStart(bits, "0")].reverse().join(""), 2) : 0);
