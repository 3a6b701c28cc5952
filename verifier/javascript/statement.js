// Checks (3) and (4) of section 6: what is claimed of which input, if the circuit can say so.

import { WrongStatement } from "./errors.js";
import { HiddenInput } from "./wide/hidden.js";
import { LOGIT_LIMIT } from "./wide/circuit.js";

/** Everything that is said: `digit`, `outputs`, `context`, `image` with what is `absorbed` of it, and `points` that hide it. */
export function statementOf(circuit, image, digit, outputs, context) {
  const refuse = (message) => { throw new WrongStatement(message); };
  const hides = image instanceof HiddenInput;
  if (hides !== Boolean(circuit.hidden)) refuse(`the input is ${hides ? "hidden" : "public"}, the circuit takes a ${hides ? "public" : "hidden"} one`);
  const size = hides ? image.inputs : image.length;
  if (size !== circuit.inputs) refuse(`the image has ${size} bytes, the circuit takes ${circuit.inputs}`);
  if (hides && image.n !== circuit.n) refuse(`the input is hidden on ${image.n} rows, the circuit has ${circuit.n}`);
  if (![0, 32].includes(context.length)) refuse(`the context has ${context.length} bytes, expected 32 or none`);
  if (digit >= circuit.classes) refuse(`the digit ${digit} is not one of the ${circuit.classes} classes`);
  outputs.forEach((value, i) => {
    if (value >= LOGIT_LIMIT || value <= -LOGIT_LIMIT) refuse(`output ${i} is ${value}, beyond ${LOGIT_LIMIT - 1n}`);
  });
  const best = outputs.reduce((largest, value, i) => (value > outputs[largest] ? i : largest), 0);
  if (outputs.length && best !== digit) refuse(`the digit is ${digit}, the largest output is number ${best}`);
  const points = hides ? Object.fromEntries(image.points.map((point, i) => [`committed${i}`, point])) : {};
  return { digit, outputs, context, image, absorbed: hides ? image.absorbed : image, points };
}
