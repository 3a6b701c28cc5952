// Points of G1 in the ZCash format, read so that one point has one encoding; and the ceremony's constants.

import { bls12_381 } from "@noble/curves/bls12-381.js";
import { fromHex, number } from "./bytes.js";

export const G1 = bls12_381.G1.Point;
export const G2 = bls12_381.G2.Point;
const BASE = bls12_381.fields.Fp.ORDER;
const COORDINATE = (1n << 381n) - 1n;

/** Decodes 48 bytes. `refuse(reason)` throws: not compressed, infinity, coordinate >= p, off the curve, outside the subgroup. */
export function decodePoint(data, refuse) {
  const flags = data[0] >> 5;
  if (!(flags & 4)) refuse("the point is not compressed");
  if (flags & 2) refuse("the point is at infinity");
  if ((number(data) & COORDINATE) >= BASE) refuse("the coordinate is not below p");
  try {
    return G1.fromBytes(data); // checks the equation of the curve and the subgroup: vectors have points that fail either
  } catch {
    return refuse("the point is not on the curve, or not in the subgroup of order r");
  }
}

/** 96 bytes: x, y, big-endian, as hashes and contracts see a point. */
export const uncompressed = (point) => point.toBytes(false);

const constant = (digits) => decodePoint(fromHex(digits), (reason) => { throw new Error(`a constant: ${reason}`); });

/** [T]: the table polynomial, T(w_256^i) = i, committed to with the powers of the ceremony (EIP-4844). */
export const TABLE = constant("a646f2f19e78809b93e8dc5cbfd654f0420b773c96e04a972d9b849a4e615111c96e045ae79d31b952ae278334d0718b");

/** The same for the tables of wide circuits, on the subgroup of order 512. */
export const CODES = {
  codes_relu: constant("87f86f3cb34cde0849266ac295eb91fc255fe875b3199c095c5577b7d811e3aa035ac80eefb8b0444ec682e1a14655de"),
  codes_relu8: constant("85933c2c50ebc1abee2671bea541d7fe7a15d0360d6eb439bea23898bd1847b190bbf04a552b25d194b615bb974f382d"),
};

/** B = [tau^(n-1)], by n: where a schema is bound (section 13). */
export const BLINDING = new Map([
  [512, constant("832fca5196c95098ad47b7d24ba2f9d042e1c73ad2273edd1c2ce36386796ccc26e8567847697f3fcc2a0536a2a2087a")],
  [1024, constant("81179cbc26a33f6d339b05ea3e1d6b9e1190bd44e94161ae36357b9cdf1e37d745d45c61735feed64371fe5384102366")],
  [2048, constant("ad1086028fcdac94d5f1e7629071e7e47e30ad0190ae59aaebfb7a7ef6202ab91323a503c527e3226a23d7937af41a52")],
]);

/** The same where inputs are hidden: [L_(n-1)(tau)], as first-layer rows are values there. */
export const PRIVATE_BLINDING = new Map([
  [512, constant("887469b200cb8647875706b5407c24f2041540b799d203806d1ada90f318a34c0209a2efdca9259e7492c379efe0da45")],
  [1024, constant("85af2d2d9c60943360f5b3ed72bd3c8810ce4faa70b67a8b4cf3c6681c0f33f939580c11fbbe95739042a01e8df75df3")],
  [2048, constant("b37a06f43bc5f0ed5bee46775718dc3fefd489588ec44e56b7bf9bde1dfec0bb38ff6ef1a330bd57249693a9946beea4")],
]);

/** [tau] in G2. */
export const TAU = G2.fromBytes(
  fromHex(
    "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72" +
      "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2",
  ),
);

/** e(left, [1]) = e(right, [tau]); a point at infinity pairs to one. */
export function pairsWithTau(left, right) {
  const pairs = [{ g1: left, g2: G2.BASE }, { g1: right.negate(), g2: TAU }].filter(({ g1 }) => !g1.is0());
  return bls12_381.fields.Fp12.eql(bls12_381.pairingBatch(pairs), bls12_381.fields.Fp12.ONE);
}
