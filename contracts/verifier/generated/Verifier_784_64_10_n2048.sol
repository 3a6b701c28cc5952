// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

// Made by `python -m zkpredict.contracts.verifier.generate` from the constraints of one circuit. Do not edit.

import {IVerifier} from "./IVerifier.sol";
import {ModelRegistry} from "./ModelRegistry.sol";

/// Checks proofs of "the network registered as `modelId` gives `image` the class `digit`" for the circuit 784-64-10, 2048 rows.
///
/// The protocol is docs/protocol.md; comments say which equation each block computes. All arithmetic is modulo R, the order of
/// BLS12-381's groups. A memory word may hold a number above R where the next operation reduces it (see `addmod`).
contract Verifier_784_64_10_n2048 is IVerifier, ModelRegistry {
    /// keccak256 of the circuit's label and canonical bytes.
    bytes32 public constant CIRCUIT_DIGEST = 0x0cfbbcb80104c98024014091637f4dcc53016ae71babe43a0136312eba82762a;
    bytes32 private constant MODEL_CONTEXT = 0x4761538ed70fa26e93e1d5d35bf4611fa48e1994d9b41d20ebcf76976a78ad65;
    bytes32 private constant PROOF_CONTEXT = 0xfe5b10179efc4d1f5682f6993fffb476191aa0cf836bd691e48a994b61eca8b1;

    uint256 private constant ROWS = 5;
    uint256 private constant IMAGE_BYTES = 784;
    uint256 private constant CLASSES = 10;
    uint256 private constant MSM_POINTS = 13;
    /// Points of a proof.
    uint256 private constant POINTS = 8;
    uint256 public constant PROOF_BYTES = 880;
    /// Selector, four words of arguments, then image and proof with their lengths, padded to whole words.
    uint256 private constant CALLDATA_BYTES = 1892;
    /// Where they start in the calldata, and where parts of the proof do.
    uint256 private constant IMAGE_AT = 164;
    uint256 private constant PROOF_AT = 996;
    uint256 private constant SCALARS_AT = 1668;
    uint256 private constant FINAL_AT = 1828;

    /// Order of the groups.
    uint256 private constant R = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    /// At least twice what the precompiles cost under Prague rules: a false proof must not burn all gas, a dearer precompile must not stop us.
    uint256 private constant MSM_GAS = 260000;

    // Memory: one word for each value.
    uint256 private constant STATE = 0x80;
    uint256 private constant STATEMENT = 0x80;
    uint256 private constant STATEMENT_CONTEXT = 0x3f0;
    uint256 private constant LIMB_VALUE = 0x2e0;
    uint256 private constant CELL_VALUE = 0x300;
    uint256 private constant TABLE_VALUE = 0x320;
    uint256 private constant CELL_NEXT_VALUE = 0x340;
    uint256 private constant LINEARISED_NEXT_VALUE = 0x360;
    uint256 private constant ORDER = 0x420;
    uint256 private constant ALPHA = 0x440;
    uint256 private constant BETA = 0x460;
    uint256 private constant DELTA = 0x480;
    uint256 private constant RHO = 0x4a0;
    uint256 private constant NU = 0x4c0;
    uint256 private constant ZETA = 0x4e0;
    uint256 private constant VANISHING = 0x500;
    uint256 private constant PIXELS = 0x520;
    uint256 private constant RHO_2 = 0x540;
    uint256 private constant RHO_4 = 0x560;
    uint256 private constant RHO_8 = 0x580;
    uint256 private constant RHO_16 = 0x5a0;
    uint256 private constant RHO_32 = 0x5c0;
    uint256 private constant RHO_64 = 0x5e0;
    uint256 private constant RHO_128 = 0x600;
    uint256 private constant RHO_256 = 0x620;
    uint256 private constant RHO_512 = 0x640;
    uint256 private constant RHO_1024 = 0x660;
    uint256 private constant RHO_2048 = 0x680;
    uint256 private constant PREFIX = 0x6a0;
    uint256 private constant CLASS_WEIGHTS = 0x800;
    uint256 private constant ALPHA_2 = 0x980;
    uint256 private constant ALPHA_3 = 0x9a0;
    uint256 private constant ALPHA_4 = 0x9c0;
    uint256 private constant ALPHA_5 = 0x9e0;
    uint256 private constant ALPHA_6 = 0xa00;
    uint256 private constant ALPHA_7 = 0xa20;
    uint256 private constant ALPHA_8 = 0xa40;
    uint256 private constant ALPHA_9 = 0xa60;
    uint256 private constant ALPHA_10 = 0xa80;
    uint256 private constant ALPHA_11 = 0xaa0;
    uint256 private constant ALPHA_12 = 0xac0;
    uint256 private constant ALPHA_13 = 0xae0;
    uint256 private constant ALPHA_14 = 0xb00;
    uint256 private constant ALPHA_15 = 0xb20;
    uint256 private constant ALPHA_16 = 0xb40;
    uint256 private constant ALPHA_17 = 0xb60;
    uint256 private constant ALPHA_18 = 0xb80;
    uint256 private constant ALPHA_19 = 0xba0;
    uint256 private constant ALPHA_20 = 0xbc0;
    uint256 private constant WEIGHT_136 = 0x820;
    uint256 private constant WEIGHT_144 = 0x840;
    uint256 private constant WEIGHT_152 = 0x860;
    uint256 private constant WEIGHT_160 = 0x880;
    uint256 private constant WEIGHT_168 = 0x8a0;
    uint256 private constant WEIGHT_1160 = 0x8e0;
    uint256 private constant WEIGHT_1168 = 0x900;
    uint256 private constant WEIGHT_1176 = 0x920;
    uint256 private constant WEIGHT_1184 = 0x940;
    uint256 private constant WEIGHT_1192 = 0x960;
    uint256 private constant WEIGHT_648 = 0xbe0;
    uint256 private constant WEIGHT_656 = 0xc00;
    uint256 private constant WEIGHT_664 = 0xc20;
    uint256 private constant WEIGHT_672 = 0xc40;
    uint256 private constant WEIGHT_680 = 0xc60;
    uint256 private constant WEIGHT_1672 = 0xc80;
    uint256 private constant WEIGHT_1680 = 0xca0;
    uint256 private constant WEIGHT_1688 = 0xcc0;
    uint256 private constant WEIGHT_1696 = 0xce0;
    uint256 private constant WEIGHT_1704 = 0xd00;
    uint256 private constant CONSTANT_SUM = 0xd20;
    uint256 private constant T0 = 0x140;
    uint256 private constant T1 = 0x160;
    uint256 private constant T2 = 0x180;
    uint256 private constant LANE_HEAD = 0xd40;
    uint256 private constant LIMB_TOP = 0xd60;
    uint256 private constant PACK_HEAD = 0xd80;
    uint256 private constant TABLE_HEAD = 0xda0;
    uint256 private constant BIAS1_TOP = 0xdc0;
    uint256 private constant BIAS1_BOTTOM = 0xde0;
    uint256 private constant READS1_TOP = 0xe00;
    uint256 private constant READS1_BOTTOM = 0xe20;
    uint256 private constant READS_NEXT1_TOP = 0xe40;
    uint256 private constant READS_NEXT1_BOTTOM = 0xe60;
    uint256 private constant READOUT_TOP = 0xe80;
    uint256 private constant READOUT_BOTTOM = 0xea0;
    uint256 private constant PARTIAL_0 = 0xec0;
    uint256 private constant PARTIAL_1 = 0xee0;
    uint256 private constant PARTIAL_2 = 0xf00;
    uint256 private constant PARTIAL_3 = 0xf20;
    uint256 private constant RHO_INVERSE = 0xf40;
    uint256 private constant READOUT_BOTTOM_INVERSE = 0xf60;
    uint256 private constant BIAS1_BOTTOM_INVERSE = 0xf80;
    uint256 private constant READS_NEXT1_BOTTOM_INVERSE = 0xfa0;
    uint256 private constant READS1_BOTTOM_INVERSE = 0xfc0;
    uint256 private constant VALUE = 0xfe0;
    uint256 private constant T3 = 0x1a0;
    uint256 private constant T4 = 0x1c0;
    uint256 private constant T5 = 0x1e0;
    uint256 private constant T6 = 0x200;
    uint256 private constant T7 = 0x220;
    uint256 private constant T8 = 0x240;
    uint256 private constant T9 = 0x260;
    uint256 private constant T10 = 0x280;
    uint256 private constant T11 = 0x2a0;
    uint256 private constant T12 = 0x2c0;
    uint256 private constant T13 = 0x380;
    uint256 private constant T14 = 0x3a0;
    uint256 private constant T15 = 0x3c0;
    uint256 private constant T16 = 0x3e0;
    uint256 private constant T17 = 0x400;
    uint256 private constant T18 = 0x1000;
    uint256 private constant T19 = 0x1020;
    uint256 private constant T20 = 0x1040;
    uint256 private constant T21 = 0x1060;
    uint256 private constant MSM = 0x1080;
    uint256 private constant ROW0_SCALAR = 0x1100;
    uint256 private constant ROW1_SCALAR = 0x11a0;
    uint256 private constant ROW2_SCALAR = 0x1240;
    uint256 private constant ROW3_SCALAR = 0x12e0;
    uint256 private constant ROW4_SCALAR = 0x1380;
    uint256 private constant TABLE = 0x13a0;
    uint256 private constant TABLE_SCALAR = 0x1420;
    uint256 private constant LIMB = 0x1440;
    uint256 private constant LIMB_SCALAR = 0x14c0;
    uint256 private constant HORNER = 0x14e0;
    uint256 private constant HORNER_SCALAR = 0x1560;
    uint256 private constant CELL = 0x1580;
    uint256 private constant CELL_SCALAR = 0x1600;
    uint256 private constant LINEAR = 0x1620;
    uint256 private constant LINEAR_SCALAR = 0x16a0;
    uint256 private constant LOOKUP = 0x16c0;
    uint256 private constant LOOKUP_SCALAR = 0x1740;
    uint256 private constant QUOTIENT = 0x1760;
    uint256 private constant QUOTIENT_SCALAR = 0x17e0;
    uint256 private constant OPENING = 0x1800;
    uint256 private constant OPENING_SCALAR = 0x1880;
    uint256 private constant SUM = 0x18a0;

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
            canonical := and(canonical, iszero(or(shr(128, calldataload(add(IMAGE_AT, 784))), shr(128, calldataload(add(PROOF_AT, 880))))))
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
            mcopy(add(STATE, 224), add(MSM, 336), 48)
            mcopy(add(STATE, 272), add(MSM, 400), 48)
            mcopy(add(STATE, 320), add(MSM, 496), 48)
            mcopy(add(STATE, 368), add(MSM, 560), 48)
            mcopy(add(STATE, 416), add(MSM, 656), 48)
            mcopy(add(STATE, 464), add(MSM, 720), 48)
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
            mstore(TABLE, 0x000000000000000000000000000000000646f2f19e78809b93e8dc5cbfd654f0)
            mstore(add(TABLE, 32), 0x420b773c96e04a972d9b849a4e615111c96e045ae79d31b952ae278334d0718b)
            mstore(add(TABLE, 64), 0x000000000000000000000000000000000e3e11d0296b9024bb193c7dde7a2452)
            mstore(add(TABLE, 96), 0x3370b1726352f31ec4c1b17e638e9020389b948481868c2c48a2ef25a1195c8c)
            // infinite: some x is 0 modulo 2^256; the search below looks at all of it
            calldatacopy(add(LIMB, 16), add(PROOF_AT, 0), 48)
            calldatacopy(add(LIMB, 80), add(add(PROOF_AT, 0), 48), 48)
            let infinite := iszero(mload(add(LIMB, 32)))
            calldatacopy(add(HORNER, 16), add(PROOF_AT, 96), 48)
            calldatacopy(add(HORNER, 80), add(add(PROOF_AT, 96), 48), 48)
            infinite := or(infinite, iszero(mload(add(HORNER, 32))))
            calldatacopy(add(CELL, 16), add(PROOF_AT, 192), 48)
            calldatacopy(add(CELL, 80), add(add(PROOF_AT, 192), 48), 48)
            infinite := or(infinite, iszero(mload(add(CELL, 32))))
            calldatacopy(add(LINEAR, 16), add(PROOF_AT, 288), 48)
            calldatacopy(add(LINEAR, 80), add(add(PROOF_AT, 288), 48), 48)
            infinite := or(infinite, iszero(mload(add(LINEAR, 32))))
            calldatacopy(add(LOOKUP, 16), add(PROOF_AT, 384), 48)
            calldatacopy(add(LOOKUP, 80), add(add(PROOF_AT, 384), 48), 48)
            infinite := or(infinite, iszero(mload(add(LOOKUP, 32))))
            calldatacopy(add(QUOTIENT, 16), add(PROOF_AT, 480), 48)
            calldatacopy(add(QUOTIENT, 80), add(add(PROOF_AT, 480), 48), 48)
            infinite := or(infinite, iszero(mload(add(QUOTIENT, 32))))
            calldatacopy(add(OPENING, 16), add(PROOF_AT, 576), 48)
            calldatacopy(add(OPENING, 80), add(add(PROOF_AT, 576), 48), 48)
            infinite := or(infinite, iszero(mload(add(OPENING, 32))))
            // wrong = 1 + i for the first of the 7 points, from limb on, with x == 0
            if infinite {
                for { let i := 0 } lt(i, 7) { i := add(i, 1) } {
                    let x := add(LIMB, mul(i, STRIDE))
                    if iszero(or(mload(x), mload(add(x, 32)))) {
                        wrong := add(i, 1)
                        break
                    }
                }
            }
            // wrong = 8 for the flag `infinity` of the compressed last point
            if and(byte(0, calldataload(FINAL_AT)), 0x40) { wrong := 8 }
        }
        assembly {
            let r := mload(ORDER)
            // every scalar < r, or else wrong = POINTS + 1 + i for the first scalar i that is not
            calldatacopy(LIMB_VALUE, SCALARS_AT, 160)
            let canonical := and(lt(mload(LIMB_VALUE), r), lt(mload(CELL_VALUE), r))
            canonical := and(canonical, and(lt(mload(TABLE_VALUE), r), lt(mload(CELL_NEXT_VALUE), r)))
            canonical := and(canonical, lt(mload(LINEARISED_NEXT_VALUE), r))
            if iszero(canonical) {
                for { let i := 0 } lt(i, 5) { i := add(i, 1) } {
                    if iszero(lt(mload(add(LIMB_VALUE, mul(i, 32))), r)) {
                        wrong := add(i, 9)
                        break
                    }
                }
            }
            // state = keccak(state | message); challenge = state mod R, the k-th after it keccak(state | k) mod R, rho = state >> 16.
            // Each state is written over the end of the message before it, which is no longer needed.
            mstore(STATE, state)
            calldatacopy(add(STATE, 32), PROOF_AT, 576)
            state := keccak256(STATE, 320)
            mstore(ALPHA, mod(state, r))
            mstore(0x00, state)
            mstore8(0x20, 1)
            mstore(BETA, mod(keccak256(0x00, 33), r))
            mstore(add(STATE, 288), state)
            state := keccak256(add(STATE, 288), 224)
            mstore(DELTA, mod(state, r))
            mstore(add(STATE, 480), state)
            state := keccak256(add(STATE, 480), 128)
            mstore(RHO, shr(16, state))
            mstore(sub(LIMB_VALUE, 32), state)
            state := keccak256(sub(LIMB_VALUE, 32), 192)
            mstore(NU, mod(state, r))
            mstore(STATE, state)
            calldatacopy(add(STATE, 32), add(PROOF_AT, 576), 96)
            state := keccak256(STATE, 128)
            mstore(ZETA, mod(state, r))
        }
    }

    /// Keeps rho^(2^k) for 2^k up to the domain size n, and rho^n - 1. True when rho is zero or in the domain.
    function _powersMeetDomain() private pure returns (bool meets) {
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
            power := mulmod(power, power, r)
            mstore(RHO_2048, power)
            mstore(VANISHING, sub(power, 1))
            meets := or(iszero(mload(RHO)), eq(power, 1))
        }
    }

    /// The image, without its constant term 1, as a polynomial at rho, by Horner's rule. rho has 240 bits, so that
    /// two elements and 255 rho + 255 fit in a word: two pixels a step, and zero pixels skipped by 8 and by 32.
    function _evaluatePixels() private pure {
        // for pixel in image: pixels = pixels * rho + pixel
        assembly {
            let r := mload(ORDER)
            let rho := mload(RHO)
            let rho2 := mload(RHO_2)
            let pixels := 0
            let rho8 := mload(RHO_8)
            let rho16 := mload(RHO_16)
            let rho32 := mload(RHO_32)
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
            // alpha_12 = alpha^12
            mstore(ALPHA_12, mulmod(mload(ALPHA_11), mload(ALPHA), r))
            // alpha_13 = alpha^13
            mstore(ALPHA_13, mulmod(mload(ALPHA_12), mload(ALPHA), r))
            // alpha_14 = alpha^14
            mstore(ALPHA_14, mulmod(mload(ALPHA_13), mload(ALPHA), r))
            // alpha_15 = alpha^15
            mstore(ALPHA_15, mulmod(mload(ALPHA_14), mload(ALPHA), r))
            // alpha_16 = alpha^16
            mstore(ALPHA_16, mulmod(mload(ALPHA_15), mload(ALPHA), r))
            // alpha_17 = alpha^17
            mstore(ALPHA_17, mulmod(mload(ALPHA_16), mload(ALPHA), r))
            // alpha_18 = alpha^18
            mstore(ALPHA_18, mulmod(mload(ALPHA_17), mload(ALPHA), r))
            // alpha_19 = alpha^19
            mstore(ALPHA_19, mulmod(mload(ALPHA_18), mload(ALPHA), r))
            // alpha_20 = alpha^20
            mstore(ALPHA_20, mulmod(mload(ALPHA_19), mload(ALPHA), r))
            mstore(T0, add(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000, mulmod(mload(ALPHA), 0x1000000000000, r)))
            // weight_136 = -alpha^10 + 281474976710656 * alpha^11
            mstore(WEIGHT_136, mulmod(mload(T0), mload(ALPHA_10), r))
            // weight_144 = -alpha^11 + 281474976710656 * alpha^12
            mstore(WEIGHT_144, mulmod(mload(T0), mload(ALPHA_11), r))
            // weight_152 = -alpha^12 + 281474976710656 * alpha^13
            mstore(WEIGHT_152, mulmod(mload(ALPHA_12), mload(T0), r))
            // weight_160 = -alpha^13 + 281474976710656 * alpha^14
            mstore(WEIGHT_160, mulmod(mload(ALPHA_13), mload(T0), r))
            // weight_168 = alpha^8 - alpha^14
            mstore(WEIGHT_168, sub(r, mulmod(mload(ALPHA_8), add(mload(ALPHA_6), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), r)))
            // weight_1160 = -alpha^15 + 281474976710656 * alpha^16
            mstore(WEIGHT_1160, mulmod(mload(ALPHA_15), mload(T0), r))
            // weight_1168 = -alpha^16 + 281474976710656 * alpha^17
            mstore(WEIGHT_1168, mulmod(mload(ALPHA_16), mload(T0), r))
            // weight_1176 = -alpha^17 + 281474976710656 * alpha^18
            mstore(WEIGHT_1176, mulmod(mload(ALPHA_17), mload(T0), r))
            // weight_1184 = -alpha^18 + 281474976710656 * alpha^19
            mstore(WEIGHT_1184, mulmod(mload(ALPHA_18), mload(T0), r))
            // weight_1192 = alpha^9 - alpha^19
            mstore(WEIGHT_1192, sub(r, mulmod(mload(ALPHA_9), add(mload(ALPHA_10), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), r)))
            // weight_680 = -alpha^14
            mstore(WEIGHT_680, sub(r, mload(ALPHA_14)))
            // weight_1704 = -alpha^19
            mstore(WEIGHT_1704, sub(r, mload(ALPHA_19)))
            mstore(T1, mulmod(mload(ALPHA), add(0x800000800000800000800000000000000000000000000000000000000000, mulmod(mload(ALPHA), mulmod(mload(ALPHA), add(0x800000000000800000000000800000000000800000000000800000000000, mulmod(mload(ALPHA), 0x800000000000800000000000800000000000800000000000800000000000, r)), r), r)), r))
            mstore(T2, mulmod(mload(ALPHA), add(0x800000800000800000800000800000800000800000800000800000800000, mulmod(mload(ALPHA), add(0x800000800000800000800000800000800000800000800000800000800000, mulmod(mload(ALPHA), add(mload(T1), 0x800000800000800000800000800000800000800000800000800000800000), r)), r)), r))
            mstore(CONSTANT_SUM, add(0x800000800000800000800000800000800000800000800000800000800000, mulmod(mload(ALPHA), add(0x800000800000800000800000800000800000800000800000800000800000, mulmod(mload(ALPHA), add(mload(T2), 0x800000800000800000800000800000800000800000800000800000800000), r)), r)))
            mstore(WEIGHT_648, mload(WEIGHT_136))
            mstore(WEIGHT_656, mload(WEIGHT_144))
            mstore(WEIGHT_664, mload(WEIGHT_152))
            mstore(WEIGHT_672, mload(WEIGHT_160))
            mstore(WEIGHT_1672, mload(WEIGHT_1160))
            mstore(WEIGHT_1680, mload(WEIGHT_1168))
            mstore(WEIGHT_1688, mload(WEIGHT_1176))
            mstore(WEIGHT_1696, mload(WEIGHT_1184))
            // prefix[i + 1] = prefix[i] + alpha^(10 + i): the weights of the first i + 1 classes
            let sum := 0
            sum := addmod(sum, mload(ALPHA_10), r)
            mstore(add(PREFIX, 32), sum)
            sum := addmod(sum, mload(ALPHA_11), r)
            mstore(add(PREFIX, 64), sum)
            sum := addmod(sum, mload(ALPHA_12), r)
            mstore(add(PREFIX, 96), sum)
            sum := addmod(sum, mload(ALPHA_13), r)
            mstore(add(PREFIX, 128), sum)
            sum := addmod(sum, mload(ALPHA_14), r)
            mstore(add(PREFIX, 160), sum)
            sum := addmod(sum, mload(ALPHA_15), r)
            mstore(add(PREFIX, 192), sum)
            sum := addmod(sum, mload(ALPHA_16), r)
            mstore(add(PREFIX, 224), sum)
            sum := addmod(sum, mload(ALPHA_17), r)
            mstore(add(PREFIX, 256), sum)
            sum := addmod(sum, mload(ALPHA_18), r)
            mstore(add(PREFIX, 288), sum)
            sum := addmod(sum, mload(ALPHA_19), r)
            mstore(add(PREFIX, 320), sum)
            // constant_sum += prefix[digit]: the constant term gains the first `digit` class weights
            mstore(CONSTANT_SUM, addmod(mload(CONSTANT_SUM), mload(add(PREFIX, mul(32, digit))), r))
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
                let head0 := add(mulmod(mload(RHO_16), 0x6f70f5e67a06fbd88f907adac98af5480e6466930923ab7811a43132b1888c36, r), 1)
                let y1 := mulmod(mload(RHO_8), 0x4f9b4098e2e9f12e6b368121ac0cf4ad0a0865a899e8deff4935bd2f817f694b, r)
                let head1 := add(mulmod(mload(RHO_16), 0x59449d9a302401865eec2340271598ef87c0551ac0e33765241de8ab6c75208d, r), 1)
                let both := 0x2dcec11fef0dba6f952aa840726e7a451f39ec7ce78c07d979da4a2372ab4263
                let bottom0 := add(head0, mulmod(y0, both, r))
                let bottom1 := add(head1, mulmod(y1, both, r))
                both := 0x1d672525ab4c31c1467e6a9b694ad89a73a40858e9ea6ff623470dbecf2e40a3
                let term := add(head0, mulmod(y0, both, r))
                let top0 := addmod(term, bottom0, r)
                bottom0 := mulmod(bottom0, term, r)
                term := add(head1, mulmod(y1, both, r))
                let top1 := addmod(term, bottom1, r)
                bottom1 := mulmod(bottom1, term, r)
                both := 0x6f8a944a2693b3ea15b5f49ee0451c6944b72ef5894b5d72acc5f5977dc062e6
                term := add(head0, mulmod(y0, both, r))
                top0 := add(mulmod(top0, term, r), bottom0)
                bottom0 := mulmod(bottom0, term, r)
                term := add(head1, mulmod(y1, both, r))
                top1 := add(mulmod(top1, term, r), bottom1)
                bottom1 := mulmod(bottom1, term, r)
                both := 0x699a4bcad5d202afe778df37e00d24bf771ee3992002e303cfc2585d1a08c757
                term := add(head0, mulmod(y0, both, r))
                top0 := add(mulmod(top0, term, r), bottom0)
                bottom0 := mulmod(bottom0, term, r)
                term := add(head1, mulmod(y1, both, r))
                top1 := add(mulmod(top1, term, r), bottom1)
                bottom1 := mulmod(bottom1, term, r)
                both := 0x153f0a55b4e7a0ff835d3d15b8f9203d21145734c062db8063431d283a7430c3
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
            mstore(T0, add(mload(RHO_1024), 1))
            // lane_head = -(0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000 * rho_512 + 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000) * (rho_1024 + 1)
            mstore(LANE_HEAD, sub(r, mulmod(mload(T0), add(0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000, mulmod(mload(RHO_512), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000, r)), r)))
            // limb_top = (0x235473339d80c1343b00c0009d80c0000000400000000000 * rho_512 + 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000) * (rho_1024 - 1)
            mstore(LIMB_TOP, mulmod(add(mload(RHO_1024), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), add(0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000, mulmod(mload(RHO_512), 0x235473339d80c1343b00c0009d80c0000000400000000000, r)), r))
            mstore(T1, mulmod(mload(T0), add(mload(RHO_512), 1), r))
            mstore(PACK_HEAD, sub(r, mulmod(mulmod(add(mload(RHO_128), 1), add(mload(RHO_256), 1), r), mulmod(mulmod(mload(T1), add(mload(RHO_64), 1), r), add(0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc000000, mulmod(mload(RHO_32), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc000000, r)), r), r)))
            // table_head = -(0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe0000000 * rho_256 + 0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe0000000) * (rho_1024 + 1) * (rho_512 + 1)
            mstore(TABLE_HEAD, sub(r, mulmod(mload(T1), add(0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe0000000, mulmod(mload(RHO_256), 0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe0000000, r)), r)))
            mstore(T2, add(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000, mulmod(mload(RHO), 0x2c6aa58b3a749bc62c8e657fe47ea551f32dcc1406da0f4c6704b9c8bb9bf61e, r)))
            // bias1_top = alpha * (0x2c6aa58b3a749bc62c8e657fe47ea551f32dcc1406da0f4c6704b9c8bb9bf61e * rho_1 - 1) + 0x3be2c283e4b4c4e07207d0c1f8045483a3b2e3f6b50892051ac5f1c8a02f30d * rho_1 - 1
            mstore(BIAS1_TOP, addmod(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000, add(mulmod(mload(T2), mload(ALPHA), r), mulmod(mload(RHO), 0x3be2c283e4b4c4e07207d0c1f8045483a3b2e3f6b50892051ac5f1c8a02f30d, r)), r))
            // bias1_bottom = (0x2c6aa58b3a749bc62c8e657fe47ea551f32dcc1406da0f4c6704b9c8bb9bf61e * rho_1 - 1) * (0x3be2c283e4b4c4e07207d0c1f8045483a3b2e3f6b50892051ac5f1c8a02f30d * rho_1 - 1)
            mstore(BIAS1_BOTTOM, mulmod(mload(T2), add(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000, mulmod(mload(RHO), 0x3be2c283e4b4c4e07207d0c1f8045483a3b2e3f6b50892051ac5f1c8a02f30d, r)), r))
            // the claimed digit's logit is read once for every class: the weight of the row behind it gains their total, the weight
            // of the row before it loses 281474976710656 total
            let entry := add(CLASS_WEIGHTS, mul(32, add(digit, div(digit, 5))))
            let total := mload(add(PREFIX, 320))
            mstore(entry, addmod(mload(entry), mulmod(total, 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfefffeffff00000001, r), r))
            entry := add(entry, 32)
            mstore(entry, addmod(mload(entry), total, r))
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
                u := mulmod(rho, 0x1f2caa7aeef7d8dee0eb9d91cdecccfbbf5354ab6e8c2ab4f007bdc150d024b1, r)
                square := mulmod(u, u, r)
                term := sub(mulmod(square, square, r), 1)
                top := add(mulmod(add(1, square), addmod(add(1, mload(ALPHA_4)), mulmod(u, add(1, sub(r, mload(ALPHA_4))), r), r), r), mulmod(sub(add(1, r), square), addmod(add(mload(ALPHA_2), mload(ALPHA_6)), mulmod(mulmod(u, quarter, r), add(mload(ALPHA_2), sub(r, mload(ALPHA_6))), r), r), r))
                bottom := term
                u := mulmod(rho, 0x18fdcd6eb725f684d2d28fd9dc0d920b64560ac1281b27b43e0664b6a44982e0, r)
                square := mulmod(u, u, r)
                term := sub(mulmod(square, square, r), 1)
                top := add(mulmod(top, term, r), mulmod(add(mulmod(add(1, square), addmod(add(mload(WEIGHT_136), mload(WEIGHT_1160)), mulmod(u, add(mload(WEIGHT_136), sub(r, mload(WEIGHT_1160))), r), r), r), mulmod(sub(add(1, r), square), addmod(add(mload(WEIGHT_648), mload(WEIGHT_1672)), mulmod(mulmod(u, quarter, r), add(mload(WEIGHT_648), sub(r, mload(WEIGHT_1672))), r), r), r)), bottom, r))
                bottom := mulmod(bottom, term, r)
                u := mulmod(rho, 0x463690b59abcf615a6231d154bcbeebf11f69b4a47af75655a9a50847f96ec43, r)
                square := mulmod(u, u, r)
                term := sub(mulmod(square, square, r), 1)
                top := add(mulmod(top, term, r), mulmod(add(mulmod(add(1, square), addmod(add(mload(WEIGHT_144), mload(WEIGHT_1168)), mulmod(u, add(mload(WEIGHT_144), sub(r, mload(WEIGHT_1168))), r), r), r), mulmod(sub(add(1, r), square), addmod(add(mload(WEIGHT_656), mload(WEIGHT_1680)), mulmod(mulmod(u, quarter, r), add(mload(WEIGHT_656), sub(r, mload(WEIGHT_1680))), r), r), r)), bottom, r))
                bottom := mulmod(bottom, term, r)
                u := mulmod(rho, 0x53aa7d875f42d925180ea84a5115cfd26212655fec382b488ab3113c021da780, r)
                square := mulmod(u, u, r)
                term := sub(mulmod(square, square, r), 1)
                top := add(mulmod(top, term, r), mulmod(add(mulmod(add(1, square), addmod(add(mload(WEIGHT_152), mload(WEIGHT_1176)), mulmod(u, add(mload(WEIGHT_152), sub(r, mload(WEIGHT_1176))), r), r), r), mulmod(sub(add(1, r), square), addmod(add(mload(WEIGHT_664), mload(WEIGHT_1688)), mulmod(mulmod(u, quarter, r), add(mload(WEIGHT_664), sub(r, mload(WEIGHT_1688))), r), r), r)), bottom, r))
                bottom := mulmod(bottom, term, r)
                u := mulmod(rho, 0x596a3d0ddae097ebcf95c6ee2bfcfce81a2bee506858fc6870b11e11ba54d0f, r)
                square := mulmod(u, u, r)
                term := sub(mulmod(square, square, r), 1)
                top := add(mulmod(top, term, r), mulmod(add(mulmod(add(1, square), addmod(add(mload(WEIGHT_160), mload(WEIGHT_1184)), mulmod(u, add(mload(WEIGHT_160), sub(r, mload(WEIGHT_1184))), r), r), r), mulmod(sub(add(1, r), square), addmod(add(mload(WEIGHT_672), mload(WEIGHT_1696)), mulmod(mulmod(u, quarter, r), add(mload(WEIGHT_672), sub(r, mload(WEIGHT_1696))), r), r), r)), bottom, r))
                bottom := mulmod(bottom, term, r)
                u := mulmod(rho, 0x27b9f6421e7859bbb5c8af93f751a2bcf244f49758f2e4f90e5070b9bada029b, r)
                square := mulmod(u, u, r)
                term := sub(mulmod(square, square, r), 1)
                top := add(mulmod(top, term, r), mulmod(add(mulmod(add(1, square), addmod(add(mload(WEIGHT_168), mload(WEIGHT_1192)), mulmod(u, add(mload(WEIGHT_168), sub(r, mload(WEIGHT_1192))), r), r), r), mulmod(sub(add(1, r), square), addmod(add(mload(WEIGHT_680), mload(WEIGHT_1704)), mulmod(mulmod(u, quarter, r), add(mload(WEIGHT_680), sub(r, mload(WEIGHT_1704))), r), r), r)), bottom, r))
                bottom := mulmod(bottom, term, r)
                u := mulmod(rho, 0x6cebc5875ac931fbed257db1ed5ff5da83be0261fa1ef0748bd63e0485773dba, r)
                square := mulmod(u, u, r)
                term := sub(mulmod(square, square, r), 1)
                top := add(mulmod(top, term, r), mulmod(add(mulmod(add(1, square), addmod(add(mload(ALPHA), mload(ALPHA_5)), mulmod(u, add(mload(ALPHA), sub(r, mload(ALPHA_5))), r), r), r), mulmod(sub(add(1, r), square), addmod(add(mload(ALPHA_3), mload(ALPHA_20)), mulmod(mulmod(u, quarter, r), add(mload(ALPHA_3), sub(r, mload(ALPHA_20))), r), r), r)), bottom, r))
                bottom := mulmod(bottom, term, r)
            }
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
            mstore(PARTIAL_0, mulmod(mload(READS1_BOTTOM), mload(READS_NEXT1_BOTTOM), r))
            mstore(PARTIAL_1, mulmod(mload(PARTIAL_0), mload(BIAS1_BOTTOM), r))
            mstore(PARTIAL_2, mulmod(mload(PARTIAL_1), mload(READOUT_BOTTOM), r))
            mstore(PARTIAL_3, mulmod(mload(PARTIAL_2), mload(RHO), r))
            mstore(STATE, 32)
            mstore(add(STATE, 32), 32)
            mstore(add(STATE, 64), 32)
            mstore(add(STATE, 96), mload(PARTIAL_3))
            mstore(add(STATE, 128), sub(r, 2))
            mstore(add(STATE, 160), r)
            done := staticcall(gas(), 0x05, STATE, 192, 0x00, 32)
            done := and(done, eq(returndatasize(), 32))
            let inverse := mload(0x00)
            done := and(done, iszero(iszero(inverse)))
            mstore(RHO_INVERSE, mulmod(inverse, mload(PARTIAL_2), r))
            inverse := mulmod(inverse, mload(RHO), r)
            mstore(READOUT_BOTTOM_INVERSE, mulmod(inverse, mload(PARTIAL_1), r))
            inverse := mulmod(inverse, mload(READOUT_BOTTOM), r)
            mstore(BIAS1_BOTTOM_INVERSE, mulmod(inverse, mload(PARTIAL_0), r))
            inverse := mulmod(inverse, mload(BIAS1_BOTTOM), r)
            mstore(READS_NEXT1_BOTTOM_INVERSE, mulmod(inverse, mload(READS1_BOTTOM), r))
            inverse := mulmod(inverse, mload(READS_NEXT1_BOTTOM), r)
            mstore(READS1_BOTTOM_INVERSE, inverse)
        }
    }

    /// Linearisation and the multi-point fold of BDFG20: the scalar of each point, and the value that the sum must take at zeta.
    function _fold() private pure {
        // [x] are commitments, x the values that the proof states; N and M are what the constraints read at rho and at w rho,
        // linear in the columns. Z_here = zeta - rho, Z_there = zeta - w rho; x_scalar = factor of [x] in
        //     L = Z_there ([N] + nu [limb] + nu^2 [table]) + nu^3 [cell] + nu^4 Z_here [M] - Z_here Z_there [opening]
        // value = Z_there (nu limb + nu^2 table - constant - linearised_next) + nu^3 line + nu^4 Z_here linearised_next
        // line = cell + (cell_next - cell) (zeta - rho) / (w rho - rho)
        assembly {
            let r := mload(ORDER)
            mstore(T0, mulmod(mload(DELTA), mload(DELTA), r))
            mstore(T1, mulmod(mload(T0), mload(DELTA), r))
            mstore(T2, mulmod(mload(T1), mload(DELTA), r))
            mstore(T3, add(mload(ZETA), mulmod(mload(RHO), 0x6ea8837cd53b51429480da6ff98e69efdd33bf14161f9d1b57c74a1a632861c, r)))
            mstore(T4, mulmod(mload(T2), mload(T3), r))
            mstore(T5, mulmod(mload(RHO_16), mload(RHO_256), r))
            mstore(T6, mulmod(mload(T5), mload(RHO_512), r))
            mstore(T7, mulmod(mulmod(mload(RHO_8), mulmod(mload(RHO_4), mload(RHO_64), r), r), mulmod(mulmod(mload(RHO_2), mulmod(mload(RHO), mload(RHO_128), r), r), mulmod(mload(T5), mulmod(addmod(mload(PIXELS), mload(T6), r), add(mload(ALPHA), mulmod(mload(T6), mload(RHO), r)), r), r), r), r))
            mstore(T8, mulmod(mload(T4), add(mulmod(mload(T7), 0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000, r), mulmod(mload(VANISHING), 0x73df299e3f3849988a3370cd08a0a3ca53132c4e7f9e5c33801fffff00200001, r)), r))
            mstore(ROW0_SCALAR, sub(r, mload(T8)))
            mstore(ROW1_SCALAR, sub(r, mulmod(mload(T8), mload(ALPHA_2), r)))
            mstore(ROW2_SCALAR, sub(r, mulmod(mload(T8), mload(ALPHA_4), r)))
            mstore(ROW3_SCALAR, sub(r, mulmod(mload(T8), mload(ALPHA_6), r)))
            mstore(T9, addmod(mulmod(mulmod(mload(READS1_TOP), mulmod(mload(CELL_VALUE), mload(READS1_BOTTOM_INVERSE), r), r), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff000000, r), add(mulmod(mulmod(mload(BIAS1_BOTTOM_INVERSE), mload(BIAS1_TOP), r), 0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000, r), mulmod(mulmod(mload(READS_NEXT1_TOP), mulmod(mload(READS_NEXT1_BOTTOM_INVERSE), mulmod(mload(ALPHA), mload(CELL_NEXT_VALUE), r), r), r), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff000000, r)), r))
            mstore(ROW4_SCALAR, sub(r, mulmod(mload(ALPHA_8), mulmod(mload(T4), mulmod(mload(T9), mload(VANISHING), r), r), r)))
            mstore(T10, mulmod(mload(NU), mload(NU), r))
            // table_scalar = nu^2 * (0x6ea8837cd53b51429480da6ff98e69efdd33bf14161f9d1b57c74a1a632861c * rho + zeta)
            mstore(TABLE_SCALAR, mulmod(mload(T10), mload(T3), r))
            // cell_scalar = nu^3
            mstore(CELL_SCALAR, mulmod(mload(T10), mload(NU), r))
            mstore(T11, add(mload(RHO), sub(r, mload(ZETA))))
            mstore(T12, addmod(mload(T3), mulmod(mload(T11), mulmod(mload(CELL_SCALAR), add(mulmod(mload(LANE_HEAD), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfefffffffeffffffff, r), mulmod(mload(LIMB_TOP), mulmod(mload(T0), mload(CELL_VALUE), r), r)), r), r), r))
            // limb_scalar = nu^4 * (cell * delta^2 * limb_top - 2 * lane_head) * (rho - zeta) + nu * (0x6ea8837cd53b51429480da6ff98e69efdd33bf14161f9d1b57c74a1a632861c * rho + zeta)
            mstore(LIMB_SCALAR, mulmod(mload(T12), mload(NU), r))
            mstore(T13, mulmod(mload(T11), mulmod(mload(CELL_SCALAR), mload(NU), r), r))
            mstore(T14, addmod(mload(PACK_HEAD), add(mulmod(mload(LANE_HEAD), 255, r), mulmod(mulmod(mload(VANISHING), mulmod(mload(READOUT_TOP), mulmod(mload(DELTA), mload(READOUT_BOTTOM_INVERSE), r), r), r), 0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000, r)), r))
            mstore(HORNER_SCALAR, sub(r, mulmod(mload(T1), add(mload(T13), sub(r, mulmod(mload(T3), add(mload(T14), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfefffffffeffffff01), r))), r)))
            mstore(T15, addmod(mload(T13), mload(T3), r))
            // linear_scalar = -delta^4 * nu^4 * (rho - zeta) - delta^4 * (0x6ea8837cd53b51429480da6ff98e69efdd33bf14161f9d1b57c74a1a632861c * rho + zeta)
            mstore(LINEAR_SCALAR, sub(r, mulmod(mload(T2), mload(T15), r)))
            mstore(T16, add(mload(BETA), mload(LIMB_VALUE)))
            // lookup_scalar = -delta^5 * nu^4 * (beta + limb) * (beta + table) * (rho - zeta) - delta^5 * (0x6ea8837cd53b51429480da6ff98e69efdd33bf14161f9d1b57c74a1a632861c * rho + zeta) * (beta + limb) * (beta + table)
            mstore(LOOKUP_SCALAR, sub(r, mulmod(add(mload(BETA), mload(TABLE_VALUE)), mulmod(mload(T16), mulmod(mload(T15), mulmod(mload(T2), mload(DELTA), r), r), r), r)))
            // quotient_scalar = -vanishing * (0x6ea8837cd53b51429480da6ff98e69efdd33bf14161f9d1b57c74a1a632861c * rho + zeta)
            mstore(QUOTIENT_SCALAR, sub(r, mulmod(mload(T3), mload(VANISHING), r)))
            // opening_scalar = (0x6ea8837cd53b51429480da6ff98e69efdd33bf14161f9d1b57c74a1a632861c * rho + zeta) * (rho - zeta)
            mstore(OPENING_SCALAR, mulmod(mload(T3), mload(T11), r))
            mstore(T17, add(mload(CELL_VALUE), mulmod(mulmod(mload(RHO_INVERSE), mulmod(mload(T11), add(mload(CELL_VALUE), sub(r, mload(CELL_NEXT_VALUE))), r), r), 0x65a9c9b19234a62986681b7629257a052f72ca09faff2d4c3e2663f1db1e6ac2, r)))
            mstore(T18, add(mulmod(mload(CONSTANT_SUM), 0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000, r), mulmod(mload(DELTA), addmod(add(mload(BETA), mload(TABLE_VALUE)), sub(r, mulmod(mload(TABLE_HEAD), mulmod(mload(T16), mload(CELL_VALUE), r), r)), r), r)))
            mstore(T19, add(mulmod(mload(DELTA), add(mulmod(mload(T18), mload(DELTA), r), sub(r, mulmod(mload(LIMB_VALUE), add(mload(LANE_HEAD), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), r))), r), mulmod(mload(LIMB_TOP), add(sub(r, mload(CELL_NEXT_VALUE)), mulmod(mload(CELL_VALUE), add(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfefffffffeffff8001, mulmod(mload(LIMB_VALUE), 256, r)), r)), r)))
            mstore(T20, mulmod(mload(DELTA), add(mulmod(mload(T19), mload(DELTA), r), sub(r, mulmod(mload(LIMB_TOP), mulmod(mload(CELL_VALUE), add(mload(CELL_VALUE), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), r), r))), r))
            mstore(T21, add(sub(r, mload(LINEARISED_NEXT_VALUE)), addmod(mulmod(mload(LANE_HEAD), add(mload(LIMB_VALUE), mulmod(mload(CELL_NEXT_VALUE), 256, r)), r), add(mload(T20), mulmod(mload(NU), add(mload(LIMB_VALUE), mulmod(mload(NU), mload(TABLE_VALUE), r)), r)), r)))
            mstore(VALUE, add(mulmod(mload(T3), mload(T21), r), sub(r, mulmod(mload(NU), mulmod(mload(T10), addmod(sub(0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000002, mload(T17)), mulmod(mload(NU), mulmod(mload(T11), mload(LINEARISED_NEXT_VALUE), r), r), r), r), r))))
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
