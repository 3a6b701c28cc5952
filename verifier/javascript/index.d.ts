/** A feature's scale: the readings of byte 0 and of byte 255. */
export interface Feature {
  readonly name: string;
  readonly low: number;
  readonly high: number;
}

/** What is claimed of the network's outputs Z. `class`: class y has the largest, the first among equals. `margin`: Z_y is at least `parameter` above
 *  all others. `threshold`: the only output is at least `parameter`. `logits`: the outputs are the numbers in the proof. */
export interface Claim {
  readonly kind: "class" | "margin" | "threshold" | "logits";
  readonly parameter: bigint;
}

/** A model's circuit: `n` rows, neurons from input to output, 1 (narrow) or 2 (double) lanes a layer. */
export interface Circuit {
  readonly n: number;
  readonly widths: readonly number[];
  readonly lanes: readonly number[];
  readonly layers: number;
  readonly inputs: number;
  readonly classes: number;
  readonly claim: Claim;
  /** Whether the input is hidden; undefined for compact circuits, whose inputs are public. */
  readonly hidden?: boolean;
  readonly bytes: Uint8Array;
  readonly digest: Uint8Array;
}

/** The public side of a model; made by `parseCommitment` alone. */
export class Commitment {
  private constructor();
  readonly circuit: Circuit;
  readonly schema: { readonly features: readonly Feature[]; readonly classes: readonly string[] };
  /** 32 bytes. */
  readonly modelId: Uint8Array;
  /** The same in hexadecimal. */
  readonly id: string;
}

/** An input under a hiding commitment; made by `parseHidden` alone. */
export class HiddenInput {
  private constructor();
  readonly n: number;
  readonly inputs: number;
}

/** What a proof shows: `claim` of the class `digit`. `className` is null when the model's classes have no names; `outputs` are the
 *  network's numbers where the claim is `logits`, else empty. */
export interface Verdict {
  readonly digit: number;
  readonly className: string | null;
  readonly modelId: string;
  readonly claim: Claim;
  readonly outputs: readonly bigint[];
}

/** What a proof file says, before anything is checked but its form. */
export interface ParsedProof {
  readonly modelId: Uint8Array;
  readonly digit: number;
  readonly outputs: readonly bigint[];
  readonly points: Readonly<Record<string, unknown>>;
  readonly scalars: Readonly<Record<string, bigint>>;
}

/** Every refusal; `name` is the class's name. */
export class Refusal extends Error {}
export class MalformedFile extends Refusal {}
export class MalformedProof extends Refusal {}
export class WrongStatement extends Refusal {}
export class FailedOpening extends Refusal {}

/** Name, first byte and length of each part of a proof for a model. */
export function proofParts(commitment: Commitment): readonly { readonly name: string; readonly start: number; readonly length: number }[];

/** Parses a commitment file. Throws `MalformedFile`. */
export function parseCommitment(data: Uint8Array): Commitment;

/** Parses the file of a hidden input. Throws `MalformedFile`. */
export function parseHidden(data: Uint8Array): HiddenInput;

/** Parses a proof for a model without checking what it claims. Throws `MalformedProof`. */
export function parseProof(data: Uint8Array, commitment: Commitment): ParsedProof;

/** Throws `MalformedFile`, `MalformedProof`, `WrongStatement` or `FailedOpening` unless the proof holds for exactly this image (one
 *  byte an input, or a hidden input), and for this context (32 bytes) when it was made for one. */
export function verify(commitment: Uint8Array | Commitment, image: Uint8Array | HiddenInput, proof: Uint8Array, context?: Uint8Array): Verdict;

/** Bytes from hexadecimal digits, with or without 0x. Throws `TypeError`. */
export function fromHex(text: string): Uint8Array;

/** Hexadecimal digits of bytes. */
export function hex(data: Uint8Array): string;
