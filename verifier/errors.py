"""Why a proof is refused. Every refusal is a `VerificationError`; its class says which kind, its message what and where."""


class VerificationError(Exception):
    """The proof does not show the claimed prediction."""


class MalformedProof(VerificationError):
    """The proof bytes are not a proof: wrong length, a scalar >= r, a point off the curve, outside the subgroup or at infinity."""


class WrongStatement(VerificationError):
    """The proof is for another model, or the image or digit does not fit the circuit."""


class FailedOpening(VerificationError):
    """The final pairing equation does not hold: some committed value contradicts the statement."""
