// What hidden layers hand on. A rational one is floor(N(u)/D(u)); polynomials are coefficients of 1, u, |u|, u^2, u |u|.

export const [RELU, RELU8] = [{ name: "relu", tag: 0 }, { name: "relu8", tag: 1 }];
const MAX_PARAMETER = 1 << 15;
/** By tag: parameters with their largest value, and the two polynomials of them. D is positive, and quotients fit 16 bits, for all of these. */
const RATIONAL = {
  2: { name: "rational_square", limits: [MAX_PARAMETER], polynomials: ([d]) => [[0, 0, 0, 1, 0], [d, 0, 1, 0, 0]] },
  3: { name: "rational_relu", limits: [MAX_PARAMETER], polynomials: ([d]) => [[0, d, 0, 1, 1], [2 * d, 0, 2, 0, 0]] },
  4: { name: "softsign", limits: [MAX_PARAMETER - 1, MAX_PARAMETER], polynomials: ([scale, c]) => [[0, scale, 0, 0, 0], [c, 0, 1, 0, 0]] },
};

/** A rational activation's tag and parameters: { name, tag, numerator, denominator, halved }. */
export function readRational(reader) {
  const tag = reader.unsigned(1, "rational activation");
  const kind = RATIONAL[tag];
  if (!kind) reader.refuse(`activation ${tag} is no rational one`);
  const parameters = kind.limits.map((largest, i) => {
    const value = reader.unsigned(2, `parameter ${i} of ${kind.name}`);
    if (value < 1 || value > largest) reader.refuse(`parameter ${i} of ${kind.name} is ${value}, expected 1 to ${largest}`);
    return value;
  });
  const [numerator, denominator] = kind.polynomials(parameters);
  const halved = denominator.every((coefficient) => coefficient % 2 === 0); // then D/2 is taken for D, and an odd quotient has a bit
  return { name: kind.name, tag, numerator, denominator: denominator.map((one) => (halved ? one / 2 : one)), halved };
}

/** A polynomial at u, with |u| given; all BigInts. */
export const evaluate = (coefficients, u, size) =>
  [1n, u, size, u * u, u * size].reduce((total, term, i) => total + BigInt(coefficients[i]) * term, 0n);
