// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

// Made by `python -m zkpredict.contracts.verifier.generate` from the constraints of one circuit. Do not edit.

import {IVerifier} from "./IVerifier.sol";
import {ModelRegistry} from "./ModelRegistry.sol";

/// Checks proofs of "the network registered as `modelId` gives `image` the class `digit`" for the circuit 784-64-10, 1024 rows.
///
/// The protocol is docs/protocol.md; comments say which equation each block computes. All arithmetic is modulo R, the order of
/// BLS12-381's groups. A memory word may hold a number above R where the next operation reduces it (see `addmod`).
contract Verifier2_784_64_10 is IVerifier, ModelRegistry {
    /// keccak256 of the circuit's label and canonical bytes.
    bytes32 public constant CIRCUIT_DIGEST = 0x3c8eec14df85deaa3c4dc7158f84ba9f40704f52430f6c95d4a96c4e7016c18c;
    bytes32 private constant MODEL_CONTEXT = 0xe21fe4b32c81acde6e8d0d6fbafae09a5b45e2e407c586562dbfcab0349eb922;
    bytes32 private constant PROOF_CONTEXT = 0x74de7077b0dec72f930b36df083f4c6f003ec8ad91bb338ae0f21ffdf92cdb8d;

    uint256 private constant ROWS = 2;
    uint256 private constant IMAGE_BYTES = 784;
    uint256 private constant CLASSES = 10;
    uint256 private constant MSM_POINTS = 8;
    /// Points of a proof.
    uint256 private constant POINTS = 7;
    uint256 public constant PROOF_BYTES = 848;
    /// Selector, four words of arguments, then image and proof with their lengths, padded to whole words.
    uint256 private constant CALLDATA_BYTES = 1860;
    /// Where they start in the calldata, and where parts of the proof do.
    uint256 private constant IMAGE_AT = 164;
    uint256 private constant PROOF_AT = 996;
    uint256 private constant SCALARS_AT = 1572;
    uint256 private constant FINAL_AT = 1796;

    /// Order of the groups.
    uint256 private constant R = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    /// At least twice what the precompiles cost under Prague rules: a false proof must not burn all gas, a dearer precompile must not stop us.
    uint256 private constant MSM_GAS = 160000;

    // Memory: one word for each value.
    uint256 private constant STATE = 0x80;
    uint256 private constant STATEMENT = 0x80;
    uint256 private constant STATEMENT_CONTEXT = 0x3f0;
    uint256 private constant HORNER_VALUE = 0x280;
    uint256 private constant CELL_VALUE = 0x2a0;
    uint256 private constant HORNER_NEXT_VALUE = 0x2c0;
    uint256 private constant CELL_NEXT_VALUE = 0x2e0;
    uint256 private constant LINEARISED_NEXT_VALUE = 0x300;
    uint256 private constant LINEARISED_NEXT2_VALUE = 0x320;
    uint256 private constant LINEARISED_SHIFTED_VALUE = 0x340;
    uint256 private constant ORDER = 0x420;
    uint256 private constant SHIFT = 0x440;
    uint256 private constant BETA = 0x460;
    uint256 private constant DELTA = 0x480;
    uint256 private constant SIGMA = 0x4a0;
    uint256 private constant NU = 0x4c0;
    uint256 private constant ZETA = 0x4e0;
    uint256 private constant ALPHA = 0x500;
    uint256 private constant RHO = 0x520;
    uint256 private constant VANISHING = 0x540;
    uint256 private constant PIXELS = 0x560;
    uint256 private constant RHO_2 = 0x580;
    uint256 private constant RHO_4 = 0x5a0;
    uint256 private constant RHO_8 = 0x5c0;
    uint256 private constant RHO_16 = 0x5e0;
    uint256 private constant RHO_32 = 0x600;
    uint256 private constant RHO_64 = 0x620;
    uint256 private constant RHO_128 = 0x640;
    uint256 private constant RHO_256 = 0x660;
    uint256 private constant RHO_512 = 0x680;
    uint256 private constant RHO_1024 = 0x6a0;
    uint256 private constant SIGMA_2 = 0x6c0;
    uint256 private constant SIGMA_4 = 0x6e0;
    uint256 private constant SIGMA_8 = 0x700;
    uint256 private constant SIGMA_16 = 0x720;
    uint256 private constant SIGMA_32 = 0x740;
    uint256 private constant SIGMA_64 = 0x760;
    uint256 private constant SIGMA_128 = 0x780;
    uint256 private constant SIGMA_256 = 0x7a0;
    uint256 private constant SIGMA_512 = 0x7c0;
    uint256 private constant ALPHA_2 = 0x7e0;
    uint256 private constant ALPHA_3 = 0x800;
    uint256 private constant ALPHA_4 = 0x820;
    uint256 private constant ALPHA_5 = 0x840;
    uint256 private constant ALPHA_6 = 0x860;
    uint256 private constant ALPHA_7 = 0x880;
    uint256 private constant ALPHA_8 = 0x8a0;
    uint256 private constant ALPHA_9 = 0x8c0;
    uint256 private constant ALPHA_10 = 0x8e0;
    uint256 private constant ALPHA_11 = 0x900;
    uint256 private constant PACK_WEIGHTS = 0x920;
    uint256 private constant PACK_WEIGHT_0 = 0x920;
    uint256 private constant PACK_WEIGHT_1 = 0x940;
    uint256 private constant M_WEIGHT = 0x960;
    uint256 private constant CONSTANT_SUM = 0x980;
    uint256 private constant T0 = 0x140;
    uint256 private constant T1 = 0x160;
    uint256 private constant LANE_HEAD = 0x9a0;
    uint256 private constant LIMB_TOP = 0x9c0;
    uint256 private constant PACK_HEAD = 0x9e0;
    uint256 private constant TABLE_HEAD = 0xa00;
    uint256 private constant NONNEGATIVE_TOP = 0xa20;
    uint256 private constant NONNEGATIVE_BOTTOM = 0xa40;
    uint256 private constant BIAS1_TOP = 0xa60;
    uint256 private constant BIAS1_BOTTOM = 0xa80;
    uint256 private constant READS1_TOP = 0xaa0;
    uint256 private constant READS1_BOTTOM = 0xac0;
    uint256 private constant READS_NEXT1_TOP = 0xae0;
    uint256 private constant READS_NEXT1_BOTTOM = 0xb00;
    uint256 private constant T2 = 0x180;
    uint256 private constant T3 = 0x1a0;
    uint256 private constant READOUT_TOP = 0xb20;
    uint256 private constant READOUT_BOTTOM = 0xb40;
    uint256 private constant PARTIAL_0 = 0xb60;
    uint256 private constant PARTIAL_1 = 0xb80;
    uint256 private constant PARTIAL_2 = 0xba0;
    uint256 private constant PARTIAL_3 = 0xbc0;
    uint256 private constant PARTIAL_4 = 0xbe0;
    uint256 private constant RHO_INVERSE = 0xc00;
    uint256 private constant READOUT_BOTTOM_INVERSE = 0xc20;
    uint256 private constant BIAS1_BOTTOM_INVERSE = 0xc40;
    uint256 private constant READS_NEXT1_BOTTOM_INVERSE = 0xc60;
    uint256 private constant READS1_BOTTOM_INVERSE = 0xc80;
    uint256 private constant NONNEGATIVE_BOTTOM_INVERSE = 0xca0;
    uint256 private constant TABLE = 0xcc0;
    uint256 private constant VALUE = 0xce0;
    uint256 private constant T4 = 0x1c0;
    uint256 private constant T5 = 0x1e0;
    uint256 private constant T6 = 0x200;
    uint256 private constant T7 = 0x220;
    uint256 private constant T8 = 0x240;
    uint256 private constant T9 = 0x260;
    uint256 private constant T10 = 0x360;
    uint256 private constant T11 = 0x380;
    uint256 private constant T12 = 0x3a0;
    uint256 private constant T13 = 0x3c0;
    uint256 private constant T14 = 0x3e0;
    uint256 private constant T15 = 0x400;
    uint256 private constant T16 = 0xd00;
    uint256 private constant T17 = 0xd20;
    uint256 private constant T18 = 0xd40;
    uint256 private constant T19 = 0xd60;
    uint256 private constant T20 = 0xd80;
    uint256 private constant T21 = 0xda0;
    uint256 private constant T22 = 0xdc0;
    uint256 private constant T23 = 0xde0;
    uint256 private constant T24 = 0xe00;
    uint256 private constant T25 = 0xe20;
    uint256 private constant T26 = 0xe40;
    uint256 private constant T27 = 0xe60;
    uint256 private constant T28 = 0xe80;
    uint256 private constant T29 = 0xea0;
    uint256 private constant MSM = 0xec0;
    uint256 private constant ROW0_SCALAR = 0xf40;
    uint256 private constant ROW1_SCALAR = 0xfe0;
    uint256 private constant HORNER = 0x1000;
    uint256 private constant HORNER_SCALAR = 0x1080;
    uint256 private constant CELL = 0x10a0;
    uint256 private constant CELL_SCALAR = 0x1120;
    uint256 private constant LINEAR = 0x1140;
    uint256 private constant LINEAR_SCALAR = 0x11c0;
    uint256 private constant LOOKUP = 0x11e0;
    uint256 private constant LOOKUP_SCALAR = 0x1260;
    uint256 private constant QUOTIENT = 0x1280;
    uint256 private constant QUOTIENT_SCALAR = 0x1300;
    uint256 private constant OPENING = 0x1320;
    uint256 private constant OPENING_SCALAR = 0x13a0;
    uint256 private constant SUM = 0x13c0;

    /// Stores the rows of a model of this circuit, and gives its id.
    function register(bytes calldata rows) external returns (bytes32) {
        return _register(rows, ROWS, MODEL_CONTEXT, 0);
    }

    /// True when the proof holds. False says that it was not shown; a call with too little gas is also answered by false.
    function verify(bytes32 modelId, bytes calldata image, uint256 digit, bytes calldata proof) external view returns (bool) {
        (uint32 reason,) = _refusal(modelId, image, digit, proof);
        return reason == 0;
    }

    /// The same check; says by its error what is wrong.
    function verifyOrRevert(bytes32 modelId, bytes calldata image, uint256 digit, bytes calldata proof) external view {
        (uint32 reason, uint256 detail) = _refusal(modelId, image, digit, proof);
        if (reason == 0) return;
        uint256 size = 36;
        if (
            reason == uint32(WrongCalldataLayout.selector) || reason == uint32(ChallengeInDomain.selector)
                || reason == uint32(OpeningFailed.selector)
        ) size = 4;
        // revert with the error `reason`, whose one argument, if it has any, is `detail`
        assembly ("memory-safe") {
            mstore(0x00, reason)
            mstore(0x20, detail)
            revert(0x1c, size)
        }
    }

    /// Whether a proof that was made for `context` (a sender, a job, a nonce) shows the claim: under another one, or none, it does not.
    function verifyFor(bytes32 modelId, bytes calldata image, uint256 digit, bytes calldata proof, bytes32 context)
        external
        view
        returns (bool holds)
    {
        (modelId, image, digit, proof);
        bool success = _askFor(this.verify.selector, context);
        // holds = success && abi.decode(answer, (bool))
        assembly ("memory-safe") {
            holds := and(success, mload(0x00))
        }
    }

    /// The same check; says by its error what is wrong.
    function verifyForOrRevert(bytes32 modelId, bytes calldata image, uint256 digit, bytes calldata proof, bytes32 context) external view {
        (modelId, image, digit, proof);
        if (_askFor(this.verifyOrRevert.selector, context)) return;
        // the error of the call
        assembly ("memory-safe") {
            returndatacopy(0x00, 0x00, returndatasize())
            revert(0x00, returndatasize())
        }
    }

    /// Asks this contract itself: the arguments of the two functions above as those of `selector`, and the context behind them.
    function _askFor(bytes4 selector, bytes32 context) private view returns (bool success) {
        // selector | modelId | place of image | digit | place of proof | context | the rest   becomes
        // selector | modelId | place of image - 32 | digit | place of proof - 32 | the rest | context
        assembly ("memory-safe") {
            let to := mload(0x40)
            let rest := sub(calldatasize(), 164)
            mstore(to, selector)
            calldatacopy(add(to, 4), 4, 128)
            mstore(add(to, 36), sub(calldataload(36), 32))
            mstore(add(to, 100), sub(calldataload(100), 32))
            calldatacopy(add(to, 132), 164, rest)
            mstore(add(add(to, 132), rest), context)
            success := staticcall(gas(), address(), to, calldatasize(), 0x00, 32)
        }
    }

    /// Whether this is such a call, to a function that takes `size` bytes without a context. Nobody else may put anything behind them. (The
    /// calldata of the two functions above holds all bytes of the proof, or it is not decoded: no context is ever read as a part of it.)
    function _hasContext(uint256 size) private view returns (bool) {
        return msg.sender == address(this) && msg.data.length == size + 32;
    }

    /// Why a proof is refused: the selector of the error and its argument; 0 for a proof that holds.
    function _refusal(bytes32 modelId, bytes calldata image, uint256 digit, bytes calldata proof)
        private
        view
        returns (uint32, uint256)
    {
        {
            bool canonical;
            bool usual;
            // Image and proof lie where every ABI encoder puts them, padded with zeros, so that all places in the calldata are constants and a
            // statement with its proof is one string of bytes.
            // canonical = image.offset == IMAGE_AT && proof.offset == PROOF_AT && every byte of padding == 0
            // usual = canonical, and the lengths and the digit are right, without a context: one condition in place of five
            assembly {
                canonical := and(eq(image.offset, IMAGE_AT), eq(proof.offset, PROOF_AT))
            canonical := and(canonical, iszero(or(shr(128, calldataload(add(IMAGE_AT, 784))), shr(128, calldataload(add(PROOF_AT, 848))))))
                usual := and(eq(image.length, IMAGE_BYTES), eq(proof.length, PROOF_BYTES))
                usual := and(and(usual, canonical), and(eq(calldatasize(), CALLDATA_BYTES), lt(digit, CLASSES)))
            }
            if (!usual) {
                (uint32 reason, uint256 detail) = _malformed(image.length, digit, proof.length, canonical);
                if (reason != 0) return (reason, detail);
            }
        }
        if (!_readRows(modelId)) return (uint32(UnknownModel.selector), uint256(modelId));
        uint256 wrong = _runTranscript(modelId, digit);
        if (wrong != 0) return wrong > POINTS ? (uint32(ScalarNotCanonical.selector), wrong - POINTS - 1) : (uint32(PointAtInfinity.selector), wrong - 1);
        if (_powersMeetDomain()) return (uint32(ChallengeInDomain.selector), 0);
        _evaluatePixels();
        _combineWeights(digit);
        _evaluatePublics(digit);
        if (!_invert()) return (uint32(PrecompileFailed.selector), 5);
        _fold();
        if (!_multiply()) return (uint32(PrecompileFailed.selector), 0x0c);
        if (!_opens()) return (uint32(OpeningFailed.selector), 0);
        return (0, 0);
    }

    /// What is wrong with the form of a statement; 0 when it is only that it has a context, which is then read.
    function _malformed(uint256 imageBytes, uint256 digit, uint256 proofBytes, bool canonical) private view returns (uint32, uint256) {
        if (imageBytes != IMAGE_BYTES) return (uint32(WrongImageLength.selector), imageBytes);
        if (proofBytes != PROOF_BYTES) return (uint32(WrongProofLength.selector), proofBytes);
        if (msg.data.length != CALLDATA_BYTES && !_hasContext(CALLDATA_BYTES)) return (uint32(WrongCalldataLength.selector), msg.data.length);
        if (!canonical) return (uint32(WrongCalldataLayout.selector), 0);
        if (digit >= CLASSES) return (uint32(WrongDigit.selector), digit);
        // behind the statement, whose other parts are written there when the rows are read
        assembly {
            calldatacopy(STATEMENT_CONTEXT, CALLDATA_BYTES, 32)
        }
        return (0, 0);
    }

    /// The model's rows, from its data contract straight into the input of the multi-scalar multiplication. They must hash to
    /// the id: an address has 160 bits only, so an owner could look for two ids, or an id and a contract, that share one.
    function _readRows(bytes32 modelId) private view returns (bool found) {
        address data = _dataContract(modelId);
        // ORDER = R, for blocks that use it often: read from memory it takes one byte of code a time, not 33
        // rows = data.code[1:], each 0^16 | x | 0^16 | y | scalar; found = keccak(MODEL_CONTEXT | x | y | x | y ...) == modelId && x % 2^256 != 0
        // Without code, everything reads as zero: rows that hash to an id which nobody registered. A row of a model with such an x
        // takes 2^125 tries to find, and would only make its own model unknown.
        assembly {
            mstore(ORDER, R)
            extcodecopy(data, MSM, 1, mul(ROWS, STRIDE))
            mstore(STATE, MODEL_CONTEXT)
            mcopy(add(STATE, 32), add(MSM, 16), 48)
            mcopy(add(STATE, 80), add(MSM, 80), 48)
            mcopy(add(STATE, 128), add(MSM, 176), 48)
            mcopy(add(STATE, 176), add(MSM, 240), 48)
            found := eq(keccak256(STATE, add(32, mul(ROWS, POINT_BYTES))), modelId)
            found := and(found, gt(mload(add(MSM, 32)), 0))
        }
    }

    /// Copies the proof to where it is used and draws all challenges from it.
    /// 0, or 1 + index of a point at infinity, or POINTS + 1 + index of a scalar >= R.
    function _runTranscript(bytes32 modelId, uint256 digit) private pure returns (uint256 wrong) {
        // state = keccak(PROOF_CONTEXT | modelId | digit | image | context): the last are the 32 bytes that `_malformed` read, or none
        uint256 state;
        assembly {
            mstore(STATEMENT, PROOF_CONTEXT)
            mstore(add(STATEMENT, 32), modelId)
            mstore(add(STATEMENT, 64), digit)
            calldatacopy(add(STATEMENT, 96), IMAGE_AT, IMAGE_BYTES)
            state := keccak256(STATEMENT, sub(calldatasize(), sub(CALLDATA_BYTES, add(96, IMAGE_BYTES))))
        }
        // rows | fixed points | points of the proof, each 0^16 | x | 0^16 | y | scalar
        assembly {
            // infinite: some x is 0 modulo 2^256; the search below looks at all of it
            calldatacopy(add(HORNER, 16), add(PROOF_AT, 0), 48)
            calldatacopy(add(HORNER, 80), add(add(PROOF_AT, 0), 48), 48)
            let infinite := iszero(mload(add(HORNER, 32)))
            calldatacopy(add(CELL, 16), add(PROOF_AT, 96), 48)
            calldatacopy(add(CELL, 80), add(add(PROOF_AT, 96), 48), 48)
            infinite := or(infinite, iszero(mload(add(CELL, 32))))
            calldatacopy(add(LINEAR, 16), add(PROOF_AT, 192), 48)
            calldatacopy(add(LINEAR, 80), add(add(PROOF_AT, 192), 48), 48)
            infinite := or(infinite, iszero(mload(add(LINEAR, 32))))
            calldatacopy(add(LOOKUP, 16), add(PROOF_AT, 288), 48)
            calldatacopy(add(LOOKUP, 80), add(add(PROOF_AT, 288), 48), 48)
            infinite := or(infinite, iszero(mload(add(LOOKUP, 32))))
            calldatacopy(add(QUOTIENT, 16), add(PROOF_AT, 384), 48)
            calldatacopy(add(QUOTIENT, 80), add(add(PROOF_AT, 384), 48), 48)
            infinite := or(infinite, iszero(mload(add(QUOTIENT, 32))))
            calldatacopy(add(OPENING, 16), add(PROOF_AT, 480), 48)
            calldatacopy(add(OPENING, 80), add(add(PROOF_AT, 480), 48), 48)
            infinite := or(infinite, iszero(mload(add(OPENING, 32))))
            // wrong = 1 + i for the first of the 6 points, from horner on, with x == 0
            if infinite {
                for { let i := 0 } lt(i, 6) { i := add(i, 1) } {
                    let x := add(HORNER, mul(i, STRIDE))
                    if iszero(or(mload(x), mload(add(x, 32)))) {
                        wrong := add(i, 1)
                        break
                    }
                }
            }
            // wrong = 7 for the flag `infinity` of the compressed last point
            if and(byte(0, calldataload(FINAL_AT)), 0x40) { wrong := 7 }
        }
        assembly {
            let r := mload(ORDER)
            // every scalar < r, or else wrong = POINTS + 1 + i for the first scalar i that is not
            calldatacopy(HORNER_VALUE, SCALARS_AT, 224)
            let canonical := and(lt(mload(HORNER_VALUE), r), lt(mload(CELL_VALUE), r))
            canonical := and(canonical, and(lt(mload(HORNER_NEXT_VALUE), r), lt(mload(CELL_NEXT_VALUE), r)))
            canonical := and(canonical, and(lt(mload(LINEARISED_NEXT_VALUE), r), lt(mload(LINEARISED_NEXT2_VALUE), r)))
            canonical := and(canonical, lt(mload(LINEARISED_SHIFTED_VALUE), r))
            if iszero(canonical) {
                for { let i := 0 } lt(i, 7) { i := add(i, 1) } {
                    if iszero(lt(mload(add(HORNER_VALUE, mul(i, 32))), r)) {
                        wrong := add(i, 8)
                        break
                    }
                }
            }
            // state = keccak(state | message); challenge = state mod R, the k-th after it keccak(state | k) mod R, sigma = state >> 16.
            // Each state is written over the end of the message before it, which is no longer needed.
            mstore(STATE, state)
            calldatacopy(add(STATE, 32), PROOF_AT, 480)
            state := keccak256(STATE, 224)
            mstore(SHIFT, mod(state, r))
            mstore(0x00, state)
            mstore8(0x20, 1)
            mstore(BETA, mod(keccak256(0x00, 33), r))
            mstore(add(STATE, 192), state)
            state := keccak256(add(STATE, 192), 224)
            mstore(DELTA, mod(state, r))
            mstore(add(STATE, 384), state)
            state := keccak256(add(STATE, 384), 128)
            mstore(SIGMA, shr(16, state))
            mstore(sub(HORNER_VALUE, 32), state)
            state := keccak256(sub(HORNER_VALUE, 32), 256)
            mstore(NU, mod(state, r))
            mstore(STATE, state)
            calldatacopy(add(STATE, 32), add(PROOF_AT, 480), 96)
            state := keccak256(STATE, 128)
            mstore(ZETA, mod(state, r))
            mstore(RHO, mulmod(mload(SHIFT), mload(SIGMA), r))
        }
    }

    /// Keeps rho^(2^k) for 2^k up to the domain size n, and rho^n - 1. True when rho is zero or in the domain.
    function _powersMeetDomain() private pure returns (bool meets) {
        // rho = shift sigma; alpha = shift^n; sigma_2 = sigma^2, sigma_4 = sigma_2^2, ... for the image
        // rho_2 = rho^2, rho_4 = rho_2^2, ... up to rho_n; vanishing = rho_n - 1; meets = rho == 0 || rho_n == 1
        assembly {
            let r := mload(ORDER)
            let power := mload(RHO)
            power := mulmod(power, power, r)
            mstore(RHO_2, power)
            power := mulmod(power, power, r)
            mstore(RHO_4, power)
            power := mulmod(power, power, r)
            mstore(RHO_8, power)
            power := mulmod(power, power, r)
            mstore(RHO_16, power)
            power := mulmod(power, power, r)
            mstore(RHO_32, power)
            power := mulmod(power, power, r)
            mstore(RHO_64, power)
            power := mulmod(power, power, r)
            mstore(RHO_128, power)
            power := mulmod(power, power, r)
            mstore(RHO_256, power)
            power := mulmod(power, power, r)
            mstore(RHO_512, power)
            power := mulmod(power, power, r)
            mstore(RHO_1024, power)
            let other := mload(SIGMA)
            other := mulmod(other, other, r)
            mstore(SIGMA_2, other)
            other := mulmod(other, other, r)
            mstore(SIGMA_4, other)
            other := mulmod(other, other, r)
            mstore(SIGMA_8, other)
            other := mulmod(other, other, r)
            mstore(SIGMA_16, other)
            other := mulmod(other, other, r)
            mstore(SIGMA_32, other)
            other := mulmod(other, other, r)
            mstore(SIGMA_64, other)
            other := mulmod(other, other, r)
            mstore(SIGMA_128, other)
            other := mulmod(other, other, r)
            mstore(SIGMA_256, other)
            other := mulmod(other, other, r)
            mstore(SIGMA_512, other)
            other := mload(SHIFT)
            other := mulmod(other, other, r)
            other := mulmod(other, other, r)
            other := mulmod(other, other, r)
            other := mulmod(other, other, r)
            other := mulmod(other, other, r)
            other := mulmod(other, other, r)
            other := mulmod(other, other, r)
            other := mulmod(other, other, r)
            other := mulmod(other, other, r)
            other := mulmod(other, other, r)
            mstore(ALPHA, other)
            mstore(VANISHING, sub(power, 1))
            meets := or(iszero(mload(RHO)), eq(power, 1))
        }
    }

    /// The image, without its constant term 1, as a polynomial at sigma, by Horner's rule; below, `rho` stands for sigma. It has 240 bits, so
    /// that two elements and 255 sigma + 255 fit in a word: two pixels a step, and zero pixels skipped by 8 and by 32.
    function _evaluatePixels() private pure {
        // for pixel in image: pixels = pixels * sigma + pixel
        assembly {
            let r := mload(ORDER)
            let rho := mload(SIGMA)
            let rho2 := mload(SIGMA_2)
            let pixels := 0
            let rho8 := mload(SIGMA_8)
            let rho16 := mload(SIGMA_16)
            let rho32 := mload(SIGMA_32)
            let rho24 := mulmod(rho8, rho16, r)
            let word := shr(128, calldataload(IMAGE_AT))
            for { let next := add(IMAGE_AT, 16) } 1 { next := add(next, 160) } {
                pixels := mulmod(pixels, rho32, r)
                if word {
                    if shr(192, word) { pixels := addmod(pixels, mulmod(rho24, add(add(mul(byte(6, word), rho), byte(7, word)), mulmod(rho2, add(add(mul(byte(4, word), rho), byte(5, word)), mulmod(rho2, add(add(mul(byte(2, word), rho), byte(3, word)), mulmod(rho2, add(mul(byte(0, word), rho), byte(1, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff00000000000000000000000000000000) { pixels := addmod(pixels, mulmod(rho16, add(add(mul(byte(14, word), rho), byte(15, word)), mulmod(rho2, add(add(mul(byte(12, word), rho), byte(13, word)), mulmod(rho2, add(add(mul(byte(10, word), rho), byte(11, word)), mulmod(rho2, add(mul(byte(8, word), rho), byte(9, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff0000000000000000) { pixels := addmod(pixels, mulmod(rho8, add(add(mul(byte(22, word), rho), byte(23, word)), mulmod(rho2, add(add(mul(byte(20, word), rho), byte(21, word)), mulmod(rho2, add(add(mul(byte(18, word), rho), byte(19, word)), mulmod(rho2, add(mul(byte(16, word), rho), byte(17, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff) { pixels := add(pixels, add(add(mul(byte(30, word), rho), byte(31, word)), mulmod(rho2, add(add(mul(byte(28, word), rho), byte(29, word)), mulmod(rho2, add(add(mul(byte(26, word), rho), byte(27, word)), mulmod(rho2, add(mul(byte(24, word), rho), byte(25, word)), r)), r)), r))) }
                }
                word := calldataload(next)
                pixels := mulmod(pixels, rho32, r)
                if word {
                    if shr(192, word) { pixels := addmod(pixels, mulmod(rho24, add(add(mul(byte(6, word), rho), byte(7, word)), mulmod(rho2, add(add(mul(byte(4, word), rho), byte(5, word)), mulmod(rho2, add(add(mul(byte(2, word), rho), byte(3, word)), mulmod(rho2, add(mul(byte(0, word), rho), byte(1, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff00000000000000000000000000000000) { pixels := addmod(pixels, mulmod(rho16, add(add(mul(byte(14, word), rho), byte(15, word)), mulmod(rho2, add(add(mul(byte(12, word), rho), byte(13, word)), mulmod(rho2, add(add(mul(byte(10, word), rho), byte(11, word)), mulmod(rho2, add(mul(byte(8, word), rho), byte(9, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff0000000000000000) { pixels := addmod(pixels, mulmod(rho8, add(add(mul(byte(22, word), rho), byte(23, word)), mulmod(rho2, add(add(mul(byte(20, word), rho), byte(21, word)), mulmod(rho2, add(add(mul(byte(18, word), rho), byte(19, word)), mulmod(rho2, add(mul(byte(16, word), rho), byte(17, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff) { pixels := add(pixels, add(add(mul(byte(30, word), rho), byte(31, word)), mulmod(rho2, add(add(mul(byte(28, word), rho), byte(29, word)), mulmod(rho2, add(add(mul(byte(26, word), rho), byte(27, word)), mulmod(rho2, add(mul(byte(24, word), rho), byte(25, word)), r)), r)), r))) }
                }
                word := calldataload(add(next, 32))
                pixels := mulmod(pixels, rho32, r)
                if word {
                    if shr(192, word) { pixels := addmod(pixels, mulmod(rho24, add(add(mul(byte(6, word), rho), byte(7, word)), mulmod(rho2, add(add(mul(byte(4, word), rho), byte(5, word)), mulmod(rho2, add(add(mul(byte(2, word), rho), byte(3, word)), mulmod(rho2, add(mul(byte(0, word), rho), byte(1, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff00000000000000000000000000000000) { pixels := addmod(pixels, mulmod(rho16, add(add(mul(byte(14, word), rho), byte(15, word)), mulmod(rho2, add(add(mul(byte(12, word), rho), byte(13, word)), mulmod(rho2, add(add(mul(byte(10, word), rho), byte(11, word)), mulmod(rho2, add(mul(byte(8, word), rho), byte(9, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff0000000000000000) { pixels := addmod(pixels, mulmod(rho8, add(add(mul(byte(22, word), rho), byte(23, word)), mulmod(rho2, add(add(mul(byte(20, word), rho), byte(21, word)), mulmod(rho2, add(add(mul(byte(18, word), rho), byte(19, word)), mulmod(rho2, add(mul(byte(16, word), rho), byte(17, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff) { pixels := add(pixels, add(add(mul(byte(30, word), rho), byte(31, word)), mulmod(rho2, add(add(mul(byte(28, word), rho), byte(29, word)), mulmod(rho2, add(add(mul(byte(26, word), rho), byte(27, word)), mulmod(rho2, add(mul(byte(24, word), rho), byte(25, word)), r)), r)), r))) }
                }
                word := calldataload(add(next, 64))
                pixels := mulmod(pixels, rho32, r)
                if word {
                    if shr(192, word) { pixels := addmod(pixels, mulmod(rho24, add(add(mul(byte(6, word), rho), byte(7, word)), mulmod(rho2, add(add(mul(byte(4, word), rho), byte(5, word)), mulmod(rho2, add(add(mul(byte(2, word), rho), byte(3, word)), mulmod(rho2, add(mul(byte(0, word), rho), byte(1, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff00000000000000000000000000000000) { pixels := addmod(pixels, mulmod(rho16, add(add(mul(byte(14, word), rho), byte(15, word)), mulmod(rho2, add(add(mul(byte(12, word), rho), byte(13, word)), mulmod(rho2, add(add(mul(byte(10, word), rho), byte(11, word)), mulmod(rho2, add(mul(byte(8, word), rho), byte(9, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff0000000000000000) { pixels := addmod(pixels, mulmod(rho8, add(add(mul(byte(22, word), rho), byte(23, word)), mulmod(rho2, add(add(mul(byte(20, word), rho), byte(21, word)), mulmod(rho2, add(add(mul(byte(18, word), rho), byte(19, word)), mulmod(rho2, add(mul(byte(16, word), rho), byte(17, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff) { pixels := add(pixels, add(add(mul(byte(30, word), rho), byte(31, word)), mulmod(rho2, add(add(mul(byte(28, word), rho), byte(29, word)), mulmod(rho2, add(add(mul(byte(26, word), rho), byte(27, word)), mulmod(rho2, add(mul(byte(24, word), rho), byte(25, word)), r)), r)), r))) }
                }
                word := calldataload(add(next, 96))
                pixels := mulmod(pixels, rho32, r)
                if word {
                    if shr(192, word) { pixels := addmod(pixels, mulmod(rho24, add(add(mul(byte(6, word), rho), byte(7, word)), mulmod(rho2, add(add(mul(byte(4, word), rho), byte(5, word)), mulmod(rho2, add(add(mul(byte(2, word), rho), byte(3, word)), mulmod(rho2, add(mul(byte(0, word), rho), byte(1, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff00000000000000000000000000000000) { pixels := addmod(pixels, mulmod(rho16, add(add(mul(byte(14, word), rho), byte(15, word)), mulmod(rho2, add(add(mul(byte(12, word), rho), byte(13, word)), mulmod(rho2, add(add(mul(byte(10, word), rho), byte(11, word)), mulmod(rho2, add(mul(byte(8, word), rho), byte(9, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff0000000000000000) { pixels := addmod(pixels, mulmod(rho8, add(add(mul(byte(22, word), rho), byte(23, word)), mulmod(rho2, add(add(mul(byte(20, word), rho), byte(21, word)), mulmod(rho2, add(add(mul(byte(18, word), rho), byte(19, word)), mulmod(rho2, add(mul(byte(16, word), rho), byte(17, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff) { pixels := add(pixels, add(add(mul(byte(30, word), rho), byte(31, word)), mulmod(rho2, add(add(mul(byte(28, word), rho), byte(29, word)), mulmod(rho2, add(add(mul(byte(26, word), rho), byte(27, word)), mulmod(rho2, add(mul(byte(24, word), rho), byte(25, word)), r)), r)), r))) }
                }
                if eq(next, add(IMAGE_AT, 656)) { break }
                word := calldataload(add(next, 128))
            }
            mstore(PIXELS, pixels)
        }
    }

    /// Powers of alpha and what the read-out and the constant term make of them and of the digit.
    function _combineWeights(uint256 digit) private pure {
        // alpha_e = alpha_(e-1) alpha
        // weight_j = factor of horner's cell in row j in the linear check, still without the claimed digit's part
        // constant_sum = sum of alpha^e offset_e over the packs' equations e, plus the weight alpha^e of every class below digit
        assembly {
            let r := mload(ORDER)
            // alpha_2 = alpha^2
            mstore(ALPHA_2, mulmod(mload(ALPHA), mload(ALPHA), r))
            // alpha_3 = alpha^3
            mstore(ALPHA_3, mulmod(mload(ALPHA_2), mload(ALPHA), r))
            // alpha_4 = alpha^4
            mstore(ALPHA_4, mulmod(mload(ALPHA_3), mload(ALPHA), r))
            // alpha_5 = alpha^5
            mstore(ALPHA_5, mulmod(mload(ALPHA_4), mload(ALPHA), r))
            // alpha_6 = alpha^6
            mstore(ALPHA_6, mulmod(mload(ALPHA_5), mload(ALPHA), r))
            // alpha_7 = alpha^7
            mstore(ALPHA_7, mulmod(mload(ALPHA_6), mload(ALPHA), r))
            // alpha_8 = alpha^8
            mstore(ALPHA_8, mulmod(mload(ALPHA_7), mload(ALPHA), r))
            // alpha_9 = alpha^9
            mstore(ALPHA_9, mulmod(mload(ALPHA_8), mload(ALPHA), r))
            // alpha_10 = alpha^10
            mstore(ALPHA_10, mulmod(mload(ALPHA_9), mload(ALPHA), r))
            // alpha_11 = alpha^11
            mstore(ALPHA_11, mulmod(mload(ALPHA_10), mload(ALPHA), r))
            // m_weight = 0x100000000000040000000000010000000000004000000000001 * alpha^9 + 0x100000000000040000000000010000000000004000000000001 * alpha^10
            mstore(M_WEIGHT, mulmod(mload(ALPHA_9), add(0x100000000000040000000000010000000000004000000000001, mulmod(mload(ALPHA), 0x100000000000040000000000010000000000004000000000001, r)), r))
            mstore(T0, add(0x200000100000080000040000020000010000008000004000002000001000000, mulmod(mload(ALPHA), add(0x200000100000080000040000020000010000008000004000002000001000000, mulmod(mload(ALPHA), add(0x40000000000010000000000004000000000001000000000000400000000000, mulmod(mload(ALPHA), 0x40000000000010000000000004000000000001000000000000400000000000, r)), r)), r)))
            mstore(T1, mulmod(mload(ALPHA), add(0x200000100000080000040000020000010000008000004000002000001000000, mulmod(mload(ALPHA), mulmod(mload(ALPHA), add(0x200000100000080000040000000000000000000000000000000000000000000, mulmod(mload(T0), mload(ALPHA), r)), r), r)), r))
            mstore(CONSTANT_SUM, mulmod(mload(ALPHA), add(0x200000100000080000040000020000010000008000004000002000001000000, mulmod(mload(ALPHA), add(0x200000100000080000040000020000010000008000004000002000001000000, mulmod(mload(ALPHA), add(mload(T1), 0x200000100000080000040000020000010000008000004000002000001000000), r)), r)), r))
            mstore(PACK_WEIGHT_0, mload(ALPHA_9))
            mstore(PACK_WEIGHT_1, mload(ALPHA_10))
            // the digit is value `place` of pack `pack`: M has the weight of all values there, 2^(50 (4 - place)) alpha^e more
            // for its own place, and the constant term gains that of every class below the digit
            let pack := div(digit, 5)
            let place := mod(digit, 5)
            let weight := mload(add(PACK_WEIGHTS, mul(32, pack)))
            mstore(M_WEIGHT, addmod(mload(M_WEIGHT), mulmod(weight, shl(mul(50, sub(4, place)), 1), r), r))
            let above := mul(50, sub(5, place))
            let sum := addmod(mload(CONSTANT_SUM), mulmod(weight, shl(above, shr(above, 0x100000000000040000000000010000000000004000000000001)), r), r)
            if gt(pack, 0) { sum := addmod(sum, mulmod(mload(PACK_WEIGHT_0), 0x100000000000040000000000010000000000004000000000001, r), r) }
            mstore(CONSTANT_SUM, sum)
        }
    }

    /// Public polynomials at rho; those with poles keep numerator and denominator.
    function _evaluatePublics(uint256 digit) private pure {
        // A polynomial of period p with the values v_j, y = rho^(n/p) and w of order p:
        //     (rho^n - 1)/p * sum_j v_j / (y/w^j - 1), kept as top / bottom for the sum
        //     1/p * prod_k (1 + (y/w^j)^(2^k)) for a single value 1, in row j: no fraction
        assembly {
            let r := mload(ORDER)
            {
                let y0 := mload(RHO_8)
                let head0 := add(mulmod(mload(RHO_16), 0x551115b4607e449bd66c91d61832fc60bd43389604eeaf5a7f847ee47dc08d74, r), 1)
                let y1 := mulmod(mload(RHO_8), 0x6898111413588742b7c68b4d7fdd60d098d0caac87f5713c5130c2c1660125be, r)
                let head1 := add(mulmod(mload(RHO_16), 0x1b29a6a78265e48883e0070b973ffd92c29e4af408c2b9413f0eca84af71a186, r), 1)
                let both := 0x68a49e8a6f322758940ef536fe3c57160955ce1e1a57704433c874363a02a450
                let bottom0 := add(head0, mulmod(y0, both, r))
                let bottom1 := add(head1, mulmod(y1, both, r))
                both := 0x1831a6fc2b46fd983c1e3aae0caba8cfb3274e1e5e6c0335e4eb63ad5ab3115a
                let term := add(head0, mulmod(y0, both, r))
                let top0 := addmod(term, bottom0, r)
                bottom0 := mulmod(bottom0, term, r)
                term := add(head1, mulmod(y1, both, r))
                let top1 := addmod(term, bottom1, r)
                bottom1 := mulmod(bottom1, term, r)
                both := 0x23548c3db2cba58cd475b6244ffa5e2d8a4f4b8a579179c316d434d9a8657bd5
                term := add(head0, mulmod(y0, both, r))
                top0 := add(mulmod(top0, term, r), bottom0)
                bottom0 := mulmod(bottom0, term, r)
                term := add(head1, mulmod(y1, both, r))
                top1 := add(mulmod(top1, term, r), bottom1)
                bottom1 := mulmod(bottom1, term, r)
                both := 0x8d2ae57b90bd9ae92f2c7fde500058e2957eab29d5f646ecd8ffda828e71129
                term := add(head0, mulmod(y0, both, r))
                top0 := add(mulmod(top0, term, r), bottom0)
                bottom0 := mulmod(bottom0, term, r)
                term := add(head1, mulmod(y1, both, r))
                top1 := add(mulmod(top1, term, r), bottom1)
                bottom1 := mulmod(bottom1, term, r)
                both := 0x19452ddb2002b0741b47755e946a7b0ca630d54b7c76bcde5f121ec4c55f8371
                term := add(head0, mulmod(y0, both, r))
                top0 := add(mulmod(top0, term, r), bottom0)
                bottom0 := mulmod(bottom0, term, r)
                term := add(head1, mulmod(y1, both, r))
                top1 := add(mulmod(top1, term, r), bottom1)
                bottom1 := mulmod(bottom1, term, r)
                mstore(READS1_TOP, add(mulmod(top0, sub(add(head0, r), 2), r), mulmod(bottom0, sub(r, 5), r)))
                mstore(READS1_BOTTOM, bottom0)
                mstore(READS_NEXT1_TOP, add(mulmod(top1, sub(add(head1, r), 2), r), mulmod(bottom1, sub(r, 5), r)))
                mstore(READS_NEXT1_BOTTOM, bottom1)
            }
            mstore(T0, add(mload(RHO_512), 1))
            // lane_head = -(0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000 * rho_256 + 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000) * (rho_512 + 1)
            mstore(LANE_HEAD, sub(r, mulmod(mload(T0), add(0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000, mulmod(mload(RHO_256), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000, r)), r)))
            // limb_top = (0x235473339d80c1343b00c0009d80c0000000400000000000 * rho_256 + 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000) * (rho_512 - 1)
            mstore(LIMB_TOP, mulmod(add(mload(RHO_512), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), add(0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000, mulmod(mload(RHO_256), 0x235473339d80c1343b00c0009d80c0000000400000000000, r)), r))
            mstore(PACK_HEAD, sub(r, mulmod(mulmod(add(mload(RHO_64), 1), mulmod(mload(T0), add(mload(RHO_32), 1), r), r), mulmod(add(mload(RHO_256), 1), mulmod(add(mload(RHO_128), 1), add(0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc000000, mulmod(mload(RHO_16), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc000000, r)), r), r), r)))
            mstore(T1, add(0x556efac8428c43ab3a5948944771a384da3c504c19365286c99f8f4f8909835c, mulmod(mload(RHO_2), add(0x628dd0bc78fd7186f1a0a0a27ae735233760b85c489987bac150cd60e4acc417, mulmod(mload(RHO_2), add(0x25301b8ff63bcbbd8630e3103a091a01be66ff9a56e77f842a1cff3cadf9d938, mulmod(mload(RHO_2), 0xaf56fb3305d5773859fe3de6ed2943d2d57f0bbcb9ef78c55f72d373ab49a6b, r)), r)), r)))
            mstore(NONNEGATIVE_TOP, add(5, mulmod(mload(T1), mload(RHO_2), r)))
            mstore(T2, add(0x6e230a764412ceb272b1703b84b8f70f4a4955761832153d95c599ca4c3996b3, mulmod(mload(RHO_2), add(0x12980dc7fb1de5dec31871881d048d00df337fcd2b73bfc2150e7f9e56fcec9c, mulmod(mload(RHO_2), add(0xaf56fb3305d5773859fe3de6ed2943d2d57f0bbcb9ef78c55f72d373ab49a6b, mulmod(mload(RHO_2), 0x6b01932f58837e2fd33cb428c4702ad69aca11799075f19a1afe59459ec7a6c, r)), r)), r)))
            mstore(NONNEGATIVE_BOTTOM, add(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000, sub(r, mulmod(mload(RHO_2), add(0x155bbeb210a310eace96522511dc68e1368f1413064d94a1b267e3d3e24260d7, mulmod(mload(T2), mload(RHO_2), r)), r))))
            mstore(T3, add(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000, mulmod(mload(RHO), 0x1d6c2e6610db2be579e285d21c3be96a5262e5ef54d446d001dd7dd94f4c83f0, r)))
            // bias1_top = alpha * (0x1d6c2e6610db2be579e285d21c3be96a5262e5ef54d446d001dd7dd94f4c83f0 * rho_1 - 1) + 0x679f181891141667e186be8536666f274c8e53b94e2d7a777de0dbdf025ab85c * rho_1 - 1
            mstore(BIAS1_TOP, addmod(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000, add(mulmod(mload(T3), mload(ALPHA), r), mulmod(mload(RHO), 0x679f181891141667e186be8536666f274c8e53b94e2d7a777de0dbdf025ab85c, r)), r))
            // bias1_bottom = -(0x1d6c2e6610db2be579e285d21c3be96a5262e5ef54d446d001dd7dd94f4c83f0 * rho_1 - 1) * (0xc4e8f3a988966e051b31982d33b68de072f5049b1d0e187821f241ffda547a5 * rho_1 + 1)
            mstore(BIAS1_BOTTOM, sub(r, mulmod(mload(T3), add(1, mulmod(mload(RHO), 0xc4e8f3a988966e051b31982d33b68de072f5049b1d0e187821f241ffda547a5, r)), r)))
            mstore(TABLE_HEAD, mload(LANE_HEAD))
            // top / bottom = sum_j weight_j / (rho/w^j - 1): for each denominator top = top term + value bottom, bottom = bottom term. Rows a
            // quarter of the domain apart, at u, i u, -u, -i u, have one: term = u^4 - 1, value = even (1 + u^2) + odd (1 - u^2)
            let rho := mload(RHO)
            let term
            let top
            let bottom
            {
                let quarter := 0x73eda753299d7d47a5e80b39939ed33467baa40089fb5bfefffeffff00000001
                let u
                let square
                u := mulmod(rho, 0x1a112d20409a835fe1b2c3aa0eb455ffbe66f8a0dc0e6bbe91e8a1ba3b6f3441, r)
                square := mulmod(u, u, r)
                term := sub(mulmod(square, square, r), 1)
                top := add(mulmod(add(1, square), addmod(add(mload(ALPHA_4), mload(ALPHA_8)), mulmod(u, add(mload(ALPHA_4), sub(r, mload(ALPHA_8))), r), r), r), mulmod(sub(add(1, r), square), addmod(add(mload(ALPHA_2), mload(ALPHA_6)), mulmod(mulmod(u, quarter, r), add(mload(ALPHA_2), sub(r, mload(ALPHA_6))), r), r), r))
                bottom := term
                u := mulmod(rho, 0x5a56acc5d6a40c8de1f7cc23d4a0a0fa3d4dee80538980eca8e45d0230d79fe6, r)
                square := mulmod(u, u, r)
                term := sub(mulmod(square, square, r), 1)
                top := add(mulmod(top, term, r), mulmod(add(mulmod(add(1, square), addmod(add(mload(ALPHA_3), mload(ALPHA_7)), mulmod(u, add(mload(ALPHA_3), sub(r, mload(ALPHA_7))), r), r), r), mulmod(sub(add(1, r), square), addmod(add(mload(ALPHA), mload(ALPHA_11)), mulmod(mulmod(u, quarter, r), add(mload(ALPHA), sub(r, mload(ALPHA_11))), r), r), r)), bottom, r))
                bottom := mulmod(bottom, term, r)
                u := mulmod(rho, 0x7aa611dcedcb15b720543223d96f0ac8d28fb6cae51baff7ef262ffa8f8c918, r)
                term := sub(mulmod(u, u, r), 1)
                top := add(mulmod(top, term, r), mulmod(addmod(add(sub(r, mload(ALPHA_9)), sub(r, mload(ALPHA_10))), mulmod(u, add(sub(r, mload(ALPHA_9)), sub(r, sub(r, mload(ALPHA_10)))), r), r), bottom, r))
                bottom := mulmod(bottom, term, r)
            }
            // M is what stands behind the digit's value less 2^bits times what stands before it: node = 1/w^(row before it)
            let place := mod(digit, 5)
            let node := 0x3b25b475ab91194b687a73c92f188612fc010d53ccb225425e544cdf4c887948
            for { let i := div(digit, 5) } i { i := sub(i, 1) } { node := mulmod(node, 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000, r) }
            for { let i := place } i { i := sub(i, 1) } { node := mulmod(node, 0x60c7efec34093e9a725ce48f79bf9cd60081066e578d78bf6207cd2f20df9d12, r) }
            if place {
                term := sub(mulmod(rho, node, r), 1)
                top := add(mulmod(top, term, r), mulmod(mulmod(mload(M_WEIGHT), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfefffbffff00000001, r), bottom, r))
                bottom := mulmod(bottom, term, r)
            }
            term := sub(mulmod(rho, mulmod(node, 0x60c7efec34093e9a725ce48f79bf9cd60081066e578d78bf6207cd2f20df9d12, r), r), 1)
            top := add(mulmod(top, term, r), mulmod(mload(M_WEIGHT), bottom, r))
            bottom := mulmod(bottom, term, r)
            mstore(READOUT_TOP, top)
            mstore(READOUT_BOTTOM, bottom)
        }
    }

    /// All inverses from one: Montgomery's trick, and the modular exponentiation precompile (EIP-198) for x^(R - 2).
    function _invert() private view returns (bool done) {
        // for values a, b, c: partial_0 = a b, partial_1 = partial_0 c, inverse = partial_1^(R - 2), done = inverse != 0
        //     1/c = inverse partial_0, inverse = inverse c
        //     1/b = inverse a, inverse = inverse b
        //     1/a = inverse
        assembly {
            let r := mload(ORDER)
            mstore(PARTIAL_0, mulmod(mload(NONNEGATIVE_BOTTOM), mload(READS1_BOTTOM), r))
            mstore(PARTIAL_1, mulmod(mload(PARTIAL_0), mload(READS_NEXT1_BOTTOM), r))
            mstore(PARTIAL_2, mulmod(mload(PARTIAL_1), mload(BIAS1_BOTTOM), r))
            mstore(PARTIAL_3, mulmod(mload(PARTIAL_2), mload(READOUT_BOTTOM), r))
            mstore(PARTIAL_4, mulmod(mload(PARTIAL_3), mload(RHO), r))
            mstore(STATE, 32)
            mstore(add(STATE, 32), 32)
            mstore(add(STATE, 64), 32)
            mstore(add(STATE, 96), mload(PARTIAL_4))
            mstore(add(STATE, 128), sub(r, 2))
            mstore(add(STATE, 160), r)
            done := staticcall(gas(), 0x05, STATE, 192, 0x00, 32)
            done := and(done, eq(returndatasize(), 32))
            let inverse := mload(0x00)
            done := and(done, iszero(iszero(inverse)))
            mstore(RHO_INVERSE, mulmod(inverse, mload(PARTIAL_3), r))
            inverse := mulmod(inverse, mload(RHO), r)
            mstore(READOUT_BOTTOM_INVERSE, mulmod(inverse, mload(PARTIAL_2), r))
            inverse := mulmod(inverse, mload(READOUT_BOTTOM), r)
            mstore(BIAS1_BOTTOM_INVERSE, mulmod(inverse, mload(PARTIAL_1), r))
            inverse := mulmod(inverse, mload(BIAS1_BOTTOM), r)
            mstore(READS_NEXT1_BOTTOM_INVERSE, mulmod(inverse, mload(PARTIAL_0), r))
            inverse := mulmod(inverse, mload(READS_NEXT1_BOTTOM), r)
            mstore(READS1_BOTTOM_INVERSE, mulmod(inverse, mload(NONNEGATIVE_BOTTOM), r))
            inverse := mulmod(inverse, mload(READS1_BOTTOM), r)
            mstore(NONNEGATIVE_BOTTOM_INVERSE, inverse)
        }
    }

    /// Linearisation and the multi-point fold of BDFG20: the scalar of each point, and the value that the sum must take at zeta.
    function _fold() private pure {
        // [x] are commitments, x the values that the proof states; N, M, M2 and U are what the constraints read at rho, w rho, w^2 rho and
        // sigma, linear in the columns. Z, Z1, Z2, Zs = zeta less those points; x_scalar = factor of [x] in the sum over all claims, by powers
        // of nu, of (the product of those of Z, Z1, Z2, Zs whose points the claim does not use) (its column), less Z Z1 Z2 Zs [opening]
        // value = the same sum of what the claims state, interpolated at zeta
        // rows0 is read at sigma, times alpha^e for each row; a row that is read at rho as well has both factors
        assembly {
            let r := mload(ORDER)
            // table = 128 - (1 + rho)(1 + rho_2) ... (1 + rho_128)/2 - rho_128 (rho - 1/rho) P(rho + 1/rho)
            let u := add(mload(RHO), mload(RHO_INVERSE))
            let table := 0x64178d959000974cdabd8dc39031347eafce9d6d4790b2f0722b19b191424d68
            table := add(0x2bab9b30037299c02b90d9d2d8d1d66c618f574a4d5c697e4ae6b9a183e6cae3, mulmod(u, add(0x32b548ae39ae0d79e25d688593100e2aa2e50b04f21a884ae4f92007e2903c53, mulmod(u, add(0x6aabf1a6d81c18cd632eb8b12def943394d30df6e7bfe99f2466175bda17c30d, mulmod(u, add(0x1a26af6019096aeddb015982b74bcee531839aa10d886eeb1bdcac7136aeeeae, mulmod(u, add(0x70ed8d4f535b6ac2c38f68732098fdc4ec61cd1a77677b923fe3fb2e79a8ec6, mulmod(u, add(0x106b3a08e202b68cb7116661a567b6d80e64a98b066804487641992733651faa, mulmod(u, add(0x6fa73d0ad7b495b3ea112d274259041e6ed2a3e0c654fd071cd33925801b871e, mulmod(u, add(0x643b6669022fe06d728b42eec9b6a004d76136aa032b06f5fa9dd4b9c84e28bc, mulmod(u, add(0x3cf45c57a686ec51c282bd7f09313a1e7d52fd39392af35ed11bfa1f5dd4737c, mulmod(u, table, r)), r)), r)), r)), r)), r)), r)), r)), r))
            table := add(0x3a306f65d8550df09fa8ac0fc9d3e5cc1ffae8b876eeeff8fccbf10ec88806f1, mulmod(u, add(0x72e4b61f3f9b084b1f7ee5de3ad7e2d3fadb63a55599eafc6e8af4a1fde4417e, mulmod(u, add(0xe3dcff25fb5454ee8c7dec9dbcee0067ae890c30faed8c537f3aa628fc736bf, mulmod(u, add(0x607afb41fcba78fba76b2b5c7f78610a72acf8a577d18bb597d9fdb4da4c88d5, mulmod(u, add(0x29469cae5bee24608cb6a0542e7d1e84b4c66306a67e8c252157611344cc3756, mulmod(u, add(0x199e15c5c8bb9623efb22751e452ce3d33c72283486bdb931d9a083c3d3d051d, mulmod(u, add(0x6fd4bcf30c27fa56c0b3217a11987e783ca48efc0286a47a295ffdbb1f9c6da5, mulmod(u, add(0xd6d63425225033b080e79964cd8c087b690b3dd3301a05b6595e6a16088a10e, mulmod(u, add(0x1eb2a065c3677bcb81dbfcf166c4b668d19775ec8501183a82416a01434081c3, mulmod(u, table, r)), r)), r)), r)), r)), r)), r)), r)), r))
            table := add(0x5ae81e78127f14deb6b5e22b9d9040c9d0c46d95c0d02f3d08293c873709758f, mulmod(u, add(0x5a62626db60788e49127c5b43762e96bfd54350937abb738d1cb4d1d01d87fc8, mulmod(u, add(0x52912000cd45b9e599fdeed73784a8db39c32c0d97fcc65709348e930b6bbdd6, mulmod(u, add(0x491b6887e8b182cc5b4c0f010612f457c053020a5f40d2ab500e62e91cb4e586, mulmod(u, add(0x17dd136f3ca0bcd589413cf630bab9ee1f413bc7d553dff58c3b68ac36223b48, mulmod(u, add(0x2c5d78224f700beaea62925a0cb498b90cade0559a52d5b6a41b54a47cd0918a, mulmod(u, add(0xec926c2edc6f5975f32c583403703bbffe972c64b99aaccb5e051a3cb38c97e, mulmod(u, add(0x5133dc38cc68fcc3328ab3fc584e92adfcc6bc478e050fb8b488c19f8a70bbcf, mulmod(u, add(0x27097a2112ae7b0e1dc35421992d4c292d8ddba2c543de08ae5bedf2ef7ccdce, mulmod(u, table, r)), r)), r)), r)), r)), r)), r)), r)), r))
            table := add(0x6891b7188ba55da47f8f345cce150a9bb6b2905d5025fab1e8637c2ecad388c9, mulmod(u, add(0x5b3ce17ce1203669b5af25db2b4ff38e5bd2d7cccd10a9480c89e50e0265c56a, mulmod(u, add(0x3d5b7dbd0055a02bfa148c12eec4dac84fde74c6a35a8c728207942511d7200a, mulmod(u, add(0x6387e00f94d878ca7e22d917711a54d32649cde83cc9b33cc6b8170121700416, mulmod(u, add(0x650cde72539e1d31705cb6671473bbb451c01d880ac225cddb7ae18b87f9e4cf, mulmod(u, add(0x619585b729e8dbb44d9801ee7b391a469059d1b3849d1d5091f1f39f9c628b6d, mulmod(u, add(0xeee53cd17ab12f6423f113bba81c0a3e84b8e00d4e68976b6f8525f557a24a8, mulmod(u, add(0x4d553e29b51cb10a6cc69318fae89b072bae2d6923b7f4c531b9019fc857df03, mulmod(u, add(0x42371187ac882e34b2bf36028a17c562a66097333e2d6c377387dff6ef58f783, mulmod(u, table, r)), r)), r)), r)), r)), r)), r)), r)), r))
            table := add(0x43e682e265257dd24b6a01342f1b4ee5d1a662e85fdd3edd4dc15c2dc4eb2a99, mulmod(u, add(0x4d644ebcb59e82a64a181f1647103c5224cb3b739980118019533a5c4f270bda, mulmod(u, add(0x3b13f21b13de4f5281585c487900fb2a5a12ec1e1f4c9e8f45a1695c4eb9e499, mulmod(u, add(0x92d8040d282bee1f3817cc52bccaddd52531e6988fda33e254b1e2d47818bbf, mulmod(u, add(0x703414ae77fbffd3fe3f225b75fb4fa11cf2508e9d19d294fa21a6b0e0d39a9b, mulmod(u, add(0x6e25fc959d3356bd7c9e90e5755ea7036c8c19b284eeadf3773e9820c63afd29, mulmod(u, add(0x6b6f79565d5d7f1de19351f2950a246e09fdc3dd9e6ef94cbaa7f27a535217ee, mulmod(u, add(0x49f290af4d197ce366da40c3c3010ed40d315a0ce4eeaec917fc66421a7cee0b, mulmod(u, add(0x62aed40494f80493af22280654b08be60cf86c97d18253339571930da974fbba, mulmod(u, table, r)), r)), r)), r)), r)), r)), r)), r)), r))
            table := add(0x130633f5e21e9771a3e1925c9aea11252c962f2e608b2194f35cccf69427d1fc, mulmod(u, add(0x3083639214759cf46b20b494a3a0ee2a5c9efd9c7d750479de01a91272ad1d9e, mulmod(u, add(0x2dbb235012c3e15e48618fc5f5361f4fe17bebad0fd00dc122001d7694904281, mulmod(u, add(0x68bf2c3ccff2ccc760c694fa515c803d72816312c35e45e97c3fab7a7544767f, mulmod(u, add(0x5a5000d3afd1b3cd2ab90f2d1a45c004a6dcae32d14649bcab09b83c8a378ab4, mulmod(u, add(0x58d9a39121b1ca9ef797fbc9e9c97005f6881fdbcfd34d242990f75f761bd628, mulmod(u, add(0x45ea7bd7a6e859ccbb3b8c83691d4c0590cdff1e30b8a1a7c7dce3879b49115b, mulmod(u, add(0x15dbfe010a5f4ebda85d9721b2b64a0df571ab360210d6ca1eee5ae55fe50691, mulmod(u, add(0x138d626bfcfbfd841843d0839baa56eb23701099c96f5f9bdc0470f5d66d6ae0, mulmod(u, table, r)), r)), r)), r)), r)), r)), r)), r)), r))
            table := add(0x1ccb2a47cf2711ae69d8ebbaf84710a854a9317038927807a6ae9d6182555a52, mulmod(u, add(0x1e3b1331146da5b8619d9c0acdbaaacf5cea90d590b120c5ea911168c0fe3640, mulmod(u, add(0x22cdfb9f69ae1ebb2ea1c040a75d896867c4e74d9d0a8865eba9f2873cbb29bd, mulmod(u, add(0x48a5fa07147afb1bfb621395b0aa875d93cd77afd333cd72eaa7df9e019d2d9e, mulmod(u, add(0x5e76eef6420dd89e97c653c8ea8f9516eebc16048c8901e1b4dedf29f857cce0, mulmod(u, add(0x67a654fcb63dff34538bced8b03aa37a62f5e0328d6959f02e230861ea67b60, mulmod(u, add(0x247f23bfe48cc15e6c17238ee643575b05d15dfb6738bb236d2d3ca80d896cd9, mulmod(u, add(0x66b96f1d84211c6cf1bafd99757c5b25859b114c7753619853914d54cbb55dc, mulmod(u, add(0x73ac9132bcdda37a29e70f492ea92f6e52fd32664a6e2ea77c65b1f5b9642d47, mulmod(u, table, r)), r)), r)), r)), r)), r)), r)), r)), r))
            table := add(0x487ef1001323f68deca38782598b849fd0b38b21167104ea4bc5fb836b5c1484, mulmod(u, add(0x52508c47fe08c7a5c80f1a2127745622aa9716ffb77e84d7870e32164551ee05, mulmod(u, add(0x812c3a6d425c0c7161b0a1bdb056cab4a3fc26e6aab20c64a9b2ae01f4c1183, mulmod(u, add(0x2918fd7dd407b333ee10f540980d89c56d50a8fc6708b84a1c91023b91ebb4bc, mulmod(u, add(0x72b71b5660e2d09b982f56e8dbbf4d38f5e96db637939e8777745385f33c287b, mulmod(u, add(0x392322db524ee37bb64345fb6e5acb8e10d83bcb82be45e4bfa4a9b50a58b23, mulmod(u, add(0x2af033f02f237ced1c5ba39a43670507a0541962537fce5101246317e386821f, mulmod(u, add(0x12e8a965d2753936682d9b1732112cffcf7f297fcff084fc6de549c347a12dc4, mulmod(u, add(0x3816f9ce5492aa09816074d1c1f219f06b65e352c32cc9d59c8c953f3a9eae12, mulmod(u, table, r)), r)), r)), r)), r)), r)), r)), r)), r))
            table := add(0x33cd34db59e2cfa7a441a3c5231f8a01fa6e944d643245b3ada7bd46a70b7402, mulmod(u, add(0x25fd614117f4c11d257e33d664e9fdf3658f69aa7122074350bcde096285ff8d, mulmod(u, add(0xd6ba9eb3111104b2c023c0fd8fcc89bc75578c9fd18154151a164133be1e7f4, mulmod(u, add(0x6c96ecc352ce3b816af6eb185caddaf801d8fffe37db78b31e992fc0b90e76e, mulmod(u, add(0x2da784efd49a0d73d465c748684a84d4918bd03b5f8c18b8c26f1c1bcff6391f, mulmod(u, add(0x50f54533e6ac1d84e97a1b67d26bd12b9c709be529c62fac84295b05ee85d068, mulmod(u, add(0x308bc16b7ec78c045fe676d70e277e48213b8d5a9d4bb124db9440825a064468, mulmod(u, add(0x17dac97329247bebf03dc08acf0381d1207613c728ad1240f58f9b9deeb7549a, mulmod(u, add(0x59f7d7afa880de01895905432e045419e089495ce2f7db8b4c47ae3d5918c044, mulmod(u, table, r)), r)), r)), r)), r)), r)), r)), r)), r))
            table := add(0x26434306407e18a36a05d2e7a45a22a2f3a4fceaecf63fb37418833fc08592c3, mulmod(u, add(0x420fea203c2f5f2b673b8b593f568b985dfb3d1dd9f7d69db13e766630f5e70f, mulmod(u, add(0x447f31cf9baf8ca2154142127b88b36a9f42115850a277ee075e83601e6692e5, mulmod(u, add(0x5436bcdd2d16aa9f0a4dd350fd26be202bb6c4920627469b77cce33af1982d8c, mulmod(u, add(0x5241ab30eda1a522243a60d2732b94751fe5103f783ba52f50230d56c99dfbac, mulmod(u, add(0x7e10ff87640f7cb5a09b5c0de96d6c51a24ccce39606196e06dd22cdcb75a39, mulmod(u, add(0x643b363d9f4a12511a57d9656a94c8ec66e6a755e81d7ac4f74fe0a71ec24108, mulmod(u, add(0x4eba0df30185a55bb5bbb2d5182bc45fbc3750b846701b028b770c7d2b484b8e, mulmod(u, add(0x72c0cd420c546cf9253cea4f82f1070ea517f7952bbf149027ae6d75a1224f38, mulmod(u, table, r)), r)), r)), r)), r)), r)), r)), r)), r))
            table := add(0x5a172546c8d602b2d4ca7ff41727c48d6d1d482ef1b8416b9ff62bf2a43d895f, mulmod(u, add(0x71eb3315ec935ec8ccd0100240621f987f3394b43aa1cea2a22aa1dcddd52161, mulmod(u, add(0x7bcb7bb3f4fcbba7338302875a2209b095d9cef37c21ba4f27d5ca9a3e7c33c, mulmod(u, add(0x12dbc3e0f1e886e155157a6df4f2685f84fca130e12648c7bc6f27ac3d444213, mulmod(u, add(0xd0a66c5084e35e4e71257638163b8798490d1606745c39949e9f746e661a9aa, mulmod(u, add(0x320e8377f66cb79668a38d29e764b4e9e70d20327c1fedfc5bdcdf12ad9b3ffa, mulmod(u, add(0x4d1ce402c0652ea2cf8227f73ca1abd7f3b260e707fc70d9971d17533b6d950a, mulmod(u, add(0x1b4dd03e2e7f10f0e0d86cfc712ba251480891145db0ef993d10a8d68da50583, mulmod(u, add(0x8ee594754e3fbed38ba588ba56212a2130011d964e573643003339f65be00fc, mulmod(u, table, r)), r)), r)), r)), r)), r)), r)), r)), r))
            table := add(0x6734927a46d691b25a7223337cbb962381d38625b7511249043ee00949f7bb5a, mulmod(u, add(0x3145de9c9f92a8015f0f61e9c0dbbded4b24ded2076cd8cc9096e1a08c30a441, mulmod(u, add(0x6cdca801f8bca068694d2d981decb067c1f8fcaeade0ed5d90fbb0c6e61ca9a7, mulmod(u, add(0x44ada4e8d078f019049b60968efaa76a6b2f2b53ad7d23a552cbda0b201fc3b3, mulmod(u, add(0x51c4f6cbf9bb4ccfa7dd3ec573a143b0bced60e68f029f6f1cdc68571a171afb, mulmod(u, add(0x607d2ee90b5c37be98d4c3791fa3494c7444580f6681a7ed42cd0469492e2ac2, mulmod(u, add(0x2fb4d9cfb11d37c5df588ab32df7e488029df350455676799d68139cf495db63, mulmod(u, add(0x6217cf1fe638754ff9a62586123e02b0b2584f4614196bf2664f9ac8fe2c9c5f, mulmod(u, add(0x72eeb54d541d81fe0ced3e2b25b767644ac70f14d168164f06cb1a515654b74e, mulmod(u, table, r)), r)), r)), r)), r)), r)), r)), r)), r))
            table := add(0x58a04b849d749fcf5793ad58eb8416adb5e7d8f710a27eeda525656f142c4eff, mulmod(u, add(0x4984bfe43921bae6f532ae33717a4b0662e47ee75f0194e26bb5b86e788ec39f, mulmod(u, add(0x229499e52f3a3a56736d439c0f2b8bd005412f58ed524dfaa83e800dcea6d219, mulmod(u, add(0x2a2fee15ade05e8e8011dcebc4a2d46c02ca191b091c0ddba2e3b80234adcaba, mulmod(u, add(0x2218363b5e9168acabb6ada1140059d0857b6c7b671f3a5c0c777034d3ef3950, mulmod(u, add(0x71fb15d8ac6cd89509bc15bbec83c309ab009df3cc758c77bc99e2230c1acf3c, mulmod(u, add(0x2a51186dc40a15d81e4ce163da846a0ca842a0b2640d5f41c650e5d153f106c6, mulmod(u, add(0x51fbadfb8183ad0d6d692380ae8d27c1752a37baf7f1b130c122350d66a6060, mulmod(u, add(0x2696712218dd6023c391f8e4db6621354be5ff6e29638806fe57ee39186bf202, mulmod(u, table, r)), r)), r)), r)), r)), r)), r)), r)), r))
            table := add(0x73eda753299d7d3689003e3949413de7d35da3b43f9e5bfeffdfffff00000001, mulmod(u, add(0x68f3b4cceab4301d52f153404e2cb2e75f327ef43c1f3c457348256f44c077a2, mulmod(u, add(0x5c1a08f2484d238b3d8c80d3c2df8f2b85c4c56ca201cfa645eb737f74d8e1cb, mulmod(u, add(0x73b0dfd75bd39c0cc8c6f19317515c13285cac2ad0a6b9d5f74d77c4169bf14a, mulmod(u, add(0x34c11b09a40e5bb01ce0a9586a3e35c9df8f6f881aebf09cd83d478e128e8085, mulmod(u, add(0x5b14f7d6e8f83a802f5997995490abb882ce81084c37817d6e9ecef427f22199, mulmod(u, add(0x3a9131b87afcbc18ec9cb7f4510316f86d3e4a2a90c86b606e4a424b2c8e8390, mulmod(u, add(0x4025450495ed2c730e20de0da1bde9b7d679bddbdc494362f4ee7886134c58d0, mulmod(u, add(0x42200843e29bd37f3c75f81a8f10e7bc02786260f811a6055e3c1efd6c3dc4c4, mulmod(u, table, r)), r)), r)), r)), r)), r)), r)), r)), r))
            table := mulmod(mulmod(table, sub(add(mload(RHO), r), mload(RHO_INVERSE)), r), mload(RHO_128), r)
            let all := add(mload(RHO), 1)
            all := mulmod(all, add(mload(RHO_2), 1), r)
            all := mulmod(all, add(mload(RHO_4), 1), r)
            all := mulmod(all, add(mload(RHO_8), 1), r)
            all := mulmod(all, add(mload(RHO_16), 1), r)
            all := mulmod(all, add(mload(RHO_32), 1), r)
            all := mulmod(all, add(mload(RHO_64), 1), r)
            all := mulmod(all, add(mload(RHO_128), 1), r)
            mstore(TABLE, addmod(128, sub(mul(r, 2), add(table, mulmod(all, 0x39f6d3a994cebea4199cec0404d0ec02a9ded2017fff2dff7fffffff80000001, r))), r))
            mstore(T0, mulmod(mulmod(mload(SIGMA_64), mulmod(mload(SIGMA_16), mload(SIGMA_32), r), r), mulmod(mload(SIGMA_128), mulmod(mload(ALPHA), addmod(mload(PIXELS), mulmod(mload(SIGMA_512), mulmod(mload(SIGMA_16), mload(SIGMA_256), r), r), r), r), r), r))
            mstore(T1, add(mulmod(mload(T0), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc00000, r), mulmod(mload(VANISHING), 0x73d0abe954d315e8e12d0992079f6f8f5268b499ff3e5c68003fffff00400001, r)))
            mstore(T2, mulmod(mload(DELTA), mload(DELTA), r))
            mstore(T3, mulmod(mload(DELTA), mulmod(mload(T2), mload(DELTA), r), r))
            mstore(T4, add(mulmod(mload(RHO), 0x95166525526a65439feec240d80689fd697168a3a6000fe4541b8ff2ee0434e, r), sub(r, mload(ZETA))))
            mstore(T5, mulmod(mload(NU), mload(NU), r))
            mstore(T6, mulmod(mload(T5), mload(NU), r))
            mstore(T7, mulmod(mload(T6), mload(NU), r))
            mstore(T8, mulmod(mload(T7), mload(NU), r))
            mstore(T9, add(mulmod(mload(RHO), 0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854, r), sub(r, mload(ZETA))))
            mstore(T10, add(mload(RHO), sub(r, mload(ZETA))))
            mstore(T11, mulmod(mload(T9), mload(T10), r))
            mstore(T12, mulmod(mload(T4), mulmod(mload(T8), mload(T11), r), r))
            mstore(ROW0_SCALAR, mulmod(mload(ALPHA_4), mulmod(mload(T12), mulmod(mload(T1), mload(T3), r), r), r))
            mstore(T13, addmod(mulmod(mulmod(mload(READS1_TOP), mulmod(mload(CELL_VALUE), mload(READS1_BOTTOM_INVERSE), r), r), 0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe000000, r), add(mulmod(mulmod(mload(BIAS1_BOTTOM_INVERSE), mload(BIAS1_TOP), r), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc00000, r), mulmod(mulmod(mload(READS_NEXT1_TOP), mulmod(mload(READS_NEXT1_BOTTOM_INVERSE), mulmod(mload(ALPHA), mload(CELL_NEXT_VALUE), r), r), r), 0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe000000, r)), r))
            mstore(T14, add(mload(SIGMA), sub(r, mload(ZETA))))
            mstore(ROW1_SCALAR, mulmod(mulmod(mload(T3), mulmod(mload(T9), mload(T4), r), r), add(mulmod(mload(ALPHA_8), mulmod(mload(T8), mulmod(mload(T1), mload(T10), r), r), r), mulmod(mload(ALPHA_9), mulmod(mload(T14), mulmod(mload(T13), mload(VANISHING), r), r), r)), r))
            mstore(T15, mulmod(mload(T6), mload(T11), r))
            mstore(HORNER_SCALAR, mulmod(mload(NU), mulmod(mload(T14), addmod(mload(T4), mulmod(mload(LIMB_TOP), mulmod(mload(CELL_VALUE), mulmod(mload(T2), mload(T15), r), r), r), r), r), r))
            mstore(CELL_SCALAR, sub(r, mulmod(mload(T5), mulmod(mload(T4), addmod(mulmod(mload(T3), mload(T15), r), sub(0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000002, mload(T14)), r), r), r)))
            mstore(T16, mulmod(mload(T10), mload(T6), r))
            mstore(T17, mulmod(mload(T4), mload(T14), r))
            mstore(T18, mulmod(mload(T17), addmod(mload(T16), sub(0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000002, mload(T9)), r), r))
            mstore(LINEAR_SCALAR, sub(r, mulmod(mload(T3), mload(T18), r)))
            mstore(T19, mulmod(mload(HORNER_VALUE), addmod(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfefffffffeffffff01, add(mulmod(mload(LANE_HEAD), 254, r), mulmod(mload(PACK_HEAD), 2, r)), r), r))
            mstore(T20, addmod(mload(HORNER_NEXT_VALUE), add(mload(BETA), mload(T19)), r))
            mstore(LOOKUP_SCALAR, sub(r, mulmod(mload(T18), mulmod(add(mload(BETA), mload(TABLE)), mulmod(mload(T20), mulmod(mload(T3), mload(DELTA), r), r), r), r)))
            // quotient_scalar = vanishing * (0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta) * (0x95166525526a65439feec240d80689fd697168a3a6000fe4541b8ff2ee0434e * rho - zeta) * (sigma - zeta)
            mstore(QUOTIENT_SCALAR, mulmod(mload(VANISHING), mulmod(mload(T9), mload(T17), r), r))
            // opening_scalar = -(0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta) * (0x95166525526a65439feec240d80689fd697168a3a6000fe4541b8ff2ee0434e * rho - zeta) * (rho - zeta) * (sigma - zeta)
            mstore(OPENING_SCALAR, sub(r, mulmod(mload(T11), mload(T17), r)))
            mstore(T21, addmod(mulmod(mulmod(mload(VANISHING), mulmod(mload(READOUT_TOP), mulmod(mload(HORNER_VALUE), mload(READOUT_BOTTOM_INVERSE), r), r), r), 0x73d0abe954d315e8e12d0992079f6f8f5268b499ff3e5c68003fffff00400001, r), add(mulmod(mload(CONSTANT_SUM), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc00000, r), mulmod(mload(DELTA), addmod(add(mload(BETA), mload(TABLE)), sub(r, mulmod(mload(TABLE_HEAD), mulmod(mload(T20), mload(CELL_VALUE), r), r)), r), r)), r))
            mstore(T22, mulmod(mload(DELTA), add(mulmod(mload(T21), mload(DELTA), r), mulmod(mulmod(mload(VANISHING), mulmod(mload(NONNEGATIVE_TOP), mulmod(mload(CELL_VALUE), mload(NONNEGATIVE_BOTTOM_INVERSE), r), r), r), 0x39f6d3a994cebea4199cec0404d0ec02a9ded2017fff2dff7fffffff800000, r)), r))
            mstore(T23, add(mload(T22), sub(r, mulmod(mload(LIMB_TOP), add(mload(CELL_NEXT_VALUE), mulmod(mulmod(mload(CELL_VALUE), mload(HORNER_VALUE), r), 65536, r)), r))))
            mstore(T24, mulmod(mload(DELTA), add(mulmod(mload(T23), mload(DELTA), r), sub(r, mulmod(mload(LIMB_TOP), mulmod(mload(CELL_VALUE), add(mload(CELL_VALUE), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), r), r))), r))
            mstore(T25, addmod(sub(r, mload(LINEARISED_NEXT_VALUE)), add(mload(T24), sub(r, mulmod(mload(LANE_HEAD), addmod(sub(r, mload(HORNER_NEXT_VALUE)), add(mload(CELL_NEXT_VALUE), sub(r, mload(T19))), r), r))), r))
            mstore(T26, mulmod(mload(T10), mload(RHO_INVERSE), r))
            mstore(T27, mulmod(mload(NU), add(mload(CELL_VALUE), mulmod(mulmod(mload(T26), add(mload(CELL_VALUE), sub(r, mload(CELL_NEXT_VALUE))), r), 0x2de3d72d1b3e85eac2da366e5e1caff2be07683fc3a780750ad7178ed97e5788, r)), r))
            mstore(T28, addmod(mload(T27), add(mload(HORNER_VALUE), mulmod(mulmod(mload(T26), add(mload(HORNER_VALUE), sub(r, mload(HORNER_NEXT_VALUE))), r), 0x2de3d72d1b3e85eac2da366e5e1caff2be07683fc3a780750ad7178ed97e5788, r)), r))
            mstore(T29, addmod(sub(r, mulmod(mload(T28), mload(NU), r)), add(mulmod(mload(T16), mload(LINEARISED_NEXT_VALUE), r), mulmod(mload(T9), addmod(sub(r, mload(LINEARISED_SHIFTED_VALUE)), add(mload(T25), sub(r, mload(LINEARISED_NEXT2_VALUE))), r), r)), r))
            mstore(VALUE, add(sub(r, mulmod(mload(T12), mload(LINEARISED_SHIFTED_VALUE), r)), sub(r, mulmod(mload(T14), add(mulmod(mload(T4), mload(T29), r), mulmod(mload(LINEARISED_NEXT2_VALUE), mulmod(mload(T7), mload(T11), r), r)), r))))
        }
    }

    /// sum of scalar * point into SUM. The precompile (EIP-2537) refuses points off the curve or outside the subgroup.
    function _multiply() private view returns (bool done) {
        // SUM = sum_i scalar_i point_i; done = the call succeeds and returns one point
        assembly {
            done := staticcall(MSM_GAS, 0x0c, MSM, mul(MSM_POINTS, STRIDE), SUM, 128)
            done := and(done, eq(returndatasize(), 128))
        }
    }

    /// Twice what the precompile costs: a false proof must not burn all gas, a dearer precompile must not stop us.
    uint256 private constant FINAL_GAS = 100_000;
    uint256 private constant HALF_P_HIGH = 0x0d0088f51cbff34d258dd3db21a5d66b;
    uint256 private constant HALF_P_LOW = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555;

    /// Whether SUM, as a commitment, opens to VALUE at zeta with the proof's last point: precompile 0x0a (EIP-4844).
    function _opens() private view returns (bool holds) {
        // commitment = x with the flags "compressed" and "y > (p - 1) / 2"; versioned hash = 0x01 | sha256(commitment)[1:]
        // holds = point_evaluation(versioned hash | zeta | value | commitment | final)
        assembly {
            let y := mload(add(SUM, 64))
            let sign := or(gt(y, HALF_P_HIGH), and(eq(y, HALF_P_HIGH), gt(mload(add(SUM, 96)), HALF_P_LOW)))
            let x := or(mload(SUM), or(shl(127, 1), shl(125, sign)))
            mstore(add(STATE, 96), shl(128, x))
            mstore(add(STATE, 112), mload(add(SUM, 32)))
            calldatacopy(add(STATE, 144), FINAL_AT, 48)
            holds := staticcall(gas(), 0x02, add(STATE, 96), 48, 0x00, 32)
            holds := and(holds, eq(returndatasize(), 32))
            mstore(STATE, or(shl(248, 1), shr(8, shl(8, mload(0x00)))))
            mstore(add(STATE, 32), mload(ZETA))
            mstore(add(STATE, 64), mod(mload(VALUE), mload(ORDER)))
            holds := and(holds, staticcall(FINAL_GAS, 0x0a, STATE, 192, 0x00, 64))
            holds := and(holds, eq(returndatasize(), 64))
        }
    }
}
