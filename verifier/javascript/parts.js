// The steps of the verifier one by one, for those who check them against vectors/.

export { Reader, fromHex, hex, number } from "./bytes.js";
export { readCircuit } from "./circuit.js";
export { COMPACT, formOf } from "./form.js";
export { compactClaims, fold, linearise, opens, wideClaims } from "./opening.js";
export { decodePoint, uncompressed } from "./points.js";
export { meetsDomain, publicPolynomials } from "./publics.js";
export { transcript } from "./transcript.js";
export { lineariseWide } from "./wide/constraints.js";
export { widePublics } from "./wide/publics.js";
