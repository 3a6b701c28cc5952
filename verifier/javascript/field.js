// Numbers modulo r, the order of BLS12-381's groups. They are BigInts in 0..r-1.

export const ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;
const GENERATOR = 7n;

/** `value` modulo r, never negative. */
export const mod = (value) => {
  const rest = value % ORDER;
  return rest < 0n ? rest + ORDER : rest;
};

/** `base^exponent`; `exponent` is a BigInt or a whole number >= 0. */
export function power(base, exponent) {
  let [square, left, result] = [mod(base), BigInt(exponent), 1n];
  for (; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % ORDER;
    square = (square * square) % ORDER;
  }
  return result;
}

/** 1/value by Fermat; the inverse of 0 is asked for by nobody and throws. */
export function inverse(value) {
  if (mod(value) === 0n) throw new RangeError("0 has no inverse");
  return power(value, ORDER - 2n);
}

/** The inverses of many values at the price of one: prefix products forth, one inversion, and back. */
export function inverses(values) {
  const before = [];
  let product = 1n;
  for (const value of values) {
    before.push(product);
    product = (product * value) % ORDER;
  }
  let rest = inverse(product);
  const found = new Array(values.length);
  for (let i = values.length - 1; i >= 0; i--) {
    found[i] = (rest * before[i]) % ORDER;
    rest = (rest * values[i]) % ORDER;
  }
  return found;
}

/** 1, base, base^2, ...: `count` of them. */
export function powers(base, count) {
  const found = Array(count).fill(1n);
  for (let i = 1; i < count; i++) found[i] = (found[i - 1] * base) % ORDER;
  return found;
}

/** The generator w of the n-th roots of unity. */
export const rootOfUnity = (n) => power(GENERATOR, (ORDER - 1n) / BigInt(n));
