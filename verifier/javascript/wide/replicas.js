// Section 8 of docs/wide.md: hidden layers lie on the trace several times, and one polynomial holds packs of all later layers.

import { mod } from "../field.js";
import { BIAS, BLOCK_ROWS, DOUBLE, packsOf } from "./geometry.js";

/** Packs in use of one replica of a layer. */
const packsIn = ({ widths, lanes }, layer) => packsOf(widths[layer + 1], lanes[layer] ?? DOUBLE);

/** How often a layer lies on the trace: as many packs of the layer behind it share a row. The last one lies there once. */
export const copiesOf = (said, layer) => (said.joined && layer < said.widths.length - 2 ? Math.ceil(packsIn(said, layer + 1) / said.joined) : 1);

/** The number of joined rows for each track, behind a circuit's other bytes. */
export function readJoined(reader, said) {
  const joined = reader.unsigned(2, "joined rows");
  const [layers, behind] = [said.widths.length - 1, said.widths.slice(2).map((_, i) => i + 1)];
  if (said.hidden) reader.refuse("a circuit with replicas has a public input");
  if (layers < 2) reader.refuse("a network of one layer has nothing to replicate");
  const all = { ...said, joined };
  const used = joined && Math.max(...behind.map((layer) => Math.ceil(packsIn(said, layer) / copiesOf(all, layer - 1))));
  if (joined < 1 || used !== joined) reader.refuse(`${joined} joined rows, of which ${used} are in use`);
  const seats = behind.reduce((total, layer) => total + copiesOf(all, layer - 1), 0);
  if (seats > said.n / BLOCK_ROWS) reader.refuse(`${seats} packs share a row, ${said.n / BLOCK_ROWS} biases fit beside them`);
  return joined;
}

/** Every joined row by name, in order: its seats with layer, pack, the replica that they read, and the row of their bias. */
export function joinedRows(circuit) {
  const found = [];
  for (let track = 0; track < circuit.tracks; track++) {
    for (let number = 0; number < circuit.joined; number++) {
      const own = seats(circuit, number).filter(({ source }) => source.tracks.includes(track));
      if (own.length) found.push({ name: `rows_${track}_${number}`, place: `${track}_${number}`, track, seats: own });
    }
  }
  return found;
}

function seats(circuit, number) {
  const found = [];
  for (let layer = 1; layer < circuit.layers; layer++) {
    const before = circuit.groups[layer - 1];
    before.forEach((source, copy) => {
      const pack = number * before.length + copy;
      if (pack < packsIn(circuit, layer)) found.push({ layer, pack, source, bias: found.length * BLOCK_ROWS + BIAS });
    });
  }
  return found;
}

/** Activations of which some layer has the first, by number. */
export const kinds = ({ activations }) => [...new Set(activations)];

/** What joined rows meet: lanes with the weights of the seats that read them, by activation, and the rows of biases. */
export function joinedPublics(circuit, alphas, basis, on) {
  const [found, known] = [{}, kinds(circuit)];
  const add = (name, value) => { found[name] = mod((found[name] ?? 0n) + value); };
  for (const { place, track, seats: own } of joinedRows(circuit)) {
    for (const { layer, pack, source, bias } of own) {
      const weight = circuit.groups[layer].reduce((total, { packs }) => total + alphas[packs[pack].exponent], 0n);
      add(`reads${known.indexOf(circuit.activations[layer - 1])}_${place}`, weight * on(source.rowsOn(track)));
      if (track === source.tracks[0]) add(`bias_${place}`, weight * basis[bias]);
    }
  }
  return found;
}

/** What each joined row is multiplied with. `handed(layer, track)`: what that layer hands on from a lane of the track. */
export function joinedReads(circuit, publics, handed) {
  const known = kinds(circuit);
  return Object.fromEntries(joinedRows(circuit).map(({ name, place, track }) => {
    const reads = known.map((kind, i) => (publics[`reads${i}_${place}`] ?? 0n) * handed(circuit.activations.indexOf(kind), track));
    return [name, mod(reads.reduce((total, read) => total + read, publics[`bias_${place}`] ?? 0n))];
  }));
}
