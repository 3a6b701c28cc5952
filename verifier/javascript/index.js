/**
 * Checks zkpredict proofs: "the network committed under this id says this image is a 7". Written from docs/protocol.md; trusts nobody.
 *
 * The caller gives the commitment (of a model they chose), the image they mean, and the proof. Everything else is computed here.
 */

import { Commitment, PROOF_PARTS, parseCommitment, parseProof } from "./files.js";
import { equal, fromHex, hex } from "./bytes.js";
import { FailedOpening, MalformedFile, MalformedProof, Refusal, WrongStatement } from "./errors.js";
import { fold, linearise, opens } from "./opening.js";
import { uncompressed } from "./points.js";
import { meetsDomain, publicPolynomials } from "./publics.js";
import { transcript } from "./transcript.js";

export { Commitment, FailedOpening, MalformedFile, MalformedProof, PROOF_PARTS, Refusal, WrongStatement, fromHex, hex, parseCommitment, parseProof };

/**
 * Returns `{ digit, className, modelId }` when the proof shows that the committed network gives `image` this class; else throws.
 *
 * `commitment`: a commitment file's bytes, or what `parseCommitment` made of it (which saves decoding its points again).
 * `image`: Uint8Array, one byte an input. `proof`: a proof file's bytes. `context`: the 32 bytes that the proof was made for, when it
 * was made for somebody or something. The checks, in the order of section 6:
 */
export function verify(commitment, image, proof, context = new Uint8Array()) {
  const { circuit, rows, modelId, schema } = commitment instanceof Commitment ? commitment : parseCommitment(commitment);
  for (const [name, bytes] of Object.entries({ image, context })) if (!(bytes instanceof Uint8Array)) throw new TypeError(`${name}: expected a Uint8Array`);
  const { modelId: named, digit, points, scalars } = parseProof(proof); // (1)
  if (!equal(named, modelId)) throw new WrongStatement(`the proof is for model ${hex(named)}, the commitment is of model ${hex(modelId)}`); // (2)
  if (image.length !== circuit.inputs) throw new WrongStatement(`the image has ${image.length} bytes, the circuit takes ${circuit.inputs}`); // (3)
  if (![0, 32].includes(context.length)) throw new WrongStatement(`the context has ${context.length} bytes, expected 32 or none`);
  if (digit >= circuit.classes) throw new WrongStatement(`the digit ${digit} is not one of the ${circuit.classes} classes`); // (4)

  const hashed = Object.fromEntries(Object.entries(points).map(([name, point]) => [name, uncompressed(point)]));
  const { challenges } = transcript(circuit.digest, modelId, digit, image, hashed, scalars, context);
  if (meetsDomain(circuit.n, challenges.rho)) throw new FailedOpening("the challenge point rho is zero or fell into the domain"); // (5)
  const publics = publicPolynomials(circuit, digit, image, challenges.alpha, challenges.rho);
  const multiples = fold(circuit.n, circuit.exponents, linearise(circuit.layers, publics, challenges, scalars), challenges, scalars);
  if (!opens(multiples, points, rows)) {
    throw new FailedOpening("the opening does not match: the claim is false, or the proof was made for another statement"); // (6)
  }
  return { digit, className: schema.classes[digit] ?? null, modelId: hex(modelId) };
}
