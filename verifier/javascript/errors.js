// Why something is refused: the kinds of docs/protocol.md, section 6. The words are this verifier's own.

/** Every refusal: its class says the kind, its message what and where. */
export class Refusal extends Error {
  constructor(message) {
    super(message);
    this.name = new.target.name;
  }
}

/** The commitment is not one, or is of a circuit that this verifier does not know. */
export class MalformedFile extends Refusal {}

/** The bytes are not a proof: length, a scalar >= r, a point off the curve, outside the subgroup or at infinity. */
export class MalformedProof extends Refusal {}

/** The proof is of another model, or the image or the class does not fit the circuit. */
export class WrongStatement extends Refusal {}

/** The pairing equation does not hold: some committed value contradicts the statement. */
export class FailedOpening extends Refusal {}
