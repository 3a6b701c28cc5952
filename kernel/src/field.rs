//! The scalar field of BLS12-381: one element in Montgomery form, on blst's assembly.

use std::sync::OnceLock;

use blst::{blst_fr, blst_scalar};

/// r, the order of G1 and G2, as little-endian 64-bit limbs.
pub const MODULUS: [u64; 4] =
    [0xffff_ffff_0000_0001, 0x53bd_a402_fffe_5bfe, 0x3339_d808_09a1_d805, 0x73ed_a753_299d_7d48];
/// r in hexadecimal, for the Python constant.
pub const MODULUS_HEX: &str = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
/// The smallest generator of the multiplicative group.
pub const GENERATOR: u64 = 7;
/// 2^32 is the largest power of two dividing r - 1.
pub const TWO_ADICITY: u32 = 32;
/// Bytes of one canonical element.
pub const BYTES: usize = 32;

/// An element of the scalar field. Always reduced, so equality is equality of limbs.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct Fr(blst_fr);

impl Fr {
    pub const ZERO: Fr = Fr(blst_fr { l: [0; 4] });

    pub fn one() -> Fr {
        Fr::from_u64(1)
    }

    pub fn is_zero(&self) -> bool {
        self.0.l == [0; 4]
    }

    pub fn from_u64(value: u64) -> Fr {
        Fr::from_limbs_reduced(&[value, 0, 0, 0])
    }

    /// v for v >= 0, and r - |v| for v < 0.
    pub fn from_i64(value: i64) -> Fr {
        let magnitude = Fr::from_u64(value.unsigned_abs());
        if value < 0 {
            magnitude.neg()
        } else {
            magnitude
        }
    }

    fn from_limbs_reduced(limbs: &[u64; 4]) -> Fr {
        let mut out = blst_fr::default();
        // SAFETY: both pointers are to four limbs; a Montgomery product with any 256-bit operand is reduced.
        unsafe { blst::blst_fr_from_uint64(&mut out, limbs.as_ptr()) };
        Fr(out)
    }

    /// None unless the integer is below r.
    pub fn from_limbs(limbs: &[u64; 4]) -> Option<Fr> {
        below_modulus(limbs).then(|| Fr::from_limbs_reduced(limbs))
    }

    /// The integer in [0, r).
    pub fn to_limbs(self) -> [u64; 4] {
        let mut out = [0u64; 4];
        // SAFETY: out holds four limbs.
        unsafe { blst::blst_uint64_from_fr(out.as_mut_ptr(), &self.0) };
        out
    }

    /// A 384-bit integer modulo r.
    pub fn from_six_limbs(limbs: &[u64; 6]) -> Fr {
        let [a, b, c, d, e, f] = *limbs;
        // 2^256 = (2^32)^8
        static STEP: OnceLock<Fr> = OnceLock::new();
        let step = *STEP.get_or_init(|| Fr::from_u64(1 << 32).pow(8));
        Fr::from_limbs_reduced(&[a, b, c, d]).add(Fr::from_limbs_reduced(&[e, f, 0, 0]).mul(step))
    }

    /// None unless the 32 little-endian bytes encode an integer below r.
    pub fn from_bytes(bytes: &[u8; BYTES]) -> Option<Fr> {
        Fr::from_limbs(&limbs_from_bytes(bytes))
    }

    pub fn to_bytes(self) -> [u8; BYTES] {
        bytes_from_limbs(&self.to_limbs())
    }

    /// The signed integer of magnitude below `limit`.
    pub fn to_small(self, limit: i64) -> Option<i64> {
        let small =
            |limbs: [u64; 4]| (limbs[1..] == [0; 3] && limbs[0] < limit.unsigned_abs()).then_some(limbs[0] as i64);
        small(self.to_limbs()).or_else(|| small(self.neg().to_limbs()).map(|magnitude| -magnitude))
    }

    /// Whether the integer or its negative is below 2^64.
    pub fn is_short(self) -> bool {
        self.to_limbs()[1..] == [0; 3] || self.neg().to_limbs()[1..] == [0; 3]
    }

    /// 64 little-endian bytes reduced modulo r.
    pub fn from_wide_bytes(bytes: &[u8; 2 * BYTES]) -> Fr {
        let mut scalar = blst_scalar::default();
        let mut out = blst_fr::default();
        // SAFETY: the length passed is the length of the array; the reduced scalar is below r.
        unsafe {
            blst::blst_scalar_from_le_bytes(&mut scalar, bytes.as_ptr(), bytes.len());
            blst::blst_fr_from_scalar(&mut out, &scalar);
        }
        Fr(out)
    }

    #[inline(always)]
    pub fn add(self, other: Fr) -> Fr {
        // r < 2^255, so the sum fits in four limbs.
        let (mut sum, mut carry) = ([0; 4], 0u128);
        for (limb, (&a, &b)) in sum.iter_mut().zip(self.0.l.iter().zip(&other.0.l)) {
            carry = u128::from(a) + u128::from(b) + (carry >> 64);
            *limb = carry as u64;
        }
        let (mut reduced, borrow) = subtract(&sum, &MODULUS);
        for (limb, kept) in reduced.iter_mut().zip(sum) {
            *limb = (*limb & !borrow) | (kept & borrow);
        }
        Fr(blst_fr { l: reduced })
    }

    #[inline(always)]
    pub fn sub(self, other: Fr) -> Fr {
        let (mut difference, borrow) = subtract(&self.0.l, &other.0.l);
        let mut carry = 0u128;
        for (limb, modulus) in difference.iter_mut().zip(MODULUS) {
            carry = u128::from(*limb) + u128::from(modulus & borrow) + (carry >> 64);
            *limb = carry as u64;
        }
        Fr(blst_fr { l: difference })
    }

    #[inline]
    pub fn mul(self, other: Fr) -> Fr {
        let mut out = blst_fr::default();
        // SAFETY: plain reads and writes of four limbs, here and in the inversion below.
        unsafe { blst::blst_fr_mul(&mut out, &self.0, &other.0) };
        Fr(out)
    }

    #[inline]
    pub fn neg(self) -> Fr {
        Fr::ZERO.sub(self)
    }

    pub fn square(self) -> Fr {
        self.mul(self)
    }

    /// The inverse, and zero for zero.
    pub fn inverse(self) -> Fr {
        let mut out = blst_fr::default();
        unsafe { blst::blst_fr_eucl_inverse(&mut out, &self.0) };
        Fr(out)
    }

    pub fn pow(self, mut exponent: u64) -> Fr {
        let mut base = self;
        let mut result = Fr::one();
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = result.mul(base);
            }
            base = base.square();
            exponent >>= 1;
        }
        result
    }
}

/// The primitive 2^log_n-th root of unity 7^((r-1)/2^log_n); log_n <= 32.
pub fn root_of_unity(log_n: u32) -> Fr {
    // 7^((r-1)/2^32), squared down to the order asked for.
    static LARGEST: OnceLock<Fr> = OnceLock::new();
    let mut root = *LARGEST.get_or_init(|| {
        let cofactor = shift_right(&MODULUS, TWO_ADICITY);
        let seven = Fr::from_u64(GENERATOR);
        (0..256).rev().fold(Fr::one(), |power, bit| {
            let squared = power.square();
            if cofactor[bit / 64] >> (bit % 64) & 1 == 1 {
                squared.mul(seven)
            } else {
                squared
            }
        })
    });
    for _ in log_n..TWO_ADICITY {
        root = root.square();
    }
    root
}

/// left - right modulo 2^256, and a mask of ones if it borrowed. Branch-free: the borrow of field elements is
/// as good as random, and a mispredicted branch costs more than the subtraction.
#[inline(always)]
fn subtract(left: &[u64; 4], right: &[u64; 4]) -> ([u64; 4], u64) {
    let (mut difference, mut borrow) = ([0; 4], 0i128);
    for (limb, (&a, &b)) in difference.iter_mut().zip(left.iter().zip(right)) {
        borrow = i128::from(a) - i128::from(b) + (borrow >> 64);
        *limb = borrow as u64;
    }
    (difference, (borrow >> 64) as u64)
}

/// Whether the integer is below r.
fn below_modulus(limbs: &[u64; 4]) -> bool {
    limbs.iter().rev().lt(MODULUS.iter().rev())
}

fn shift_right(limbs: &[u64; 4], bits: u32) -> [u64; 4] {
    let mut out = [0; 4];
    for i in 0..4 {
        let high = if i < 3 { limbs[i + 1] << (64 - bits) } else { 0 };
        out[i] = limbs[i] >> bits | high;
    }
    out
}

pub fn limbs_from_bytes(bytes: &[u8; BYTES]) -> [u64; 4] {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
        *limb = chunk.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte));
    }
    limbs
}

pub fn bytes_from_limbs(limbs: &[u64; 4]) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    for (chunk, limb) in bytes.chunks_exact_mut(8).zip(limbs) {
        chunk.copy_from_slice(&limb.to_le_bytes());
    }
    bytes
}
