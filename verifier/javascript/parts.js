// The steps of the verifier one by one, for those who check them against vectors/.

export { fromHex, hex, number } from "./bytes.js";
export { Reader } from "./bytes.js";
export { readCircuit } from "./circuit.js";
export { fold, linearise, opens } from "./opening.js";
export { decodePoint } from "./points.js";
export { meetsDomain, publicPolynomials } from "./publics.js";
export { transcript } from "./transcript.js";
