// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

// Made by `python -m zkpredict.contracts.verifier.generate` from the constraints of one circuit. Do not edit.

import {IVerifier} from "./IVerifier.sol";
import {ModelRegistry} from "./ModelRegistry.sol";

/// Checks proofs of "the network registered as `modelId` gives `image` the class `digit`" for the circuit 784-64-10, 1024 rows.
///
/// The protocol is docs/protocol.md; comments say which equation each block computes. All arithmetic is modulo R, the order of
/// BLS12-381's groups. A memory word may hold a number above R where the next operation reduces it (see `addmod`).
contract Verifier_784_64_10_n1024_pairing is IVerifier, ModelRegistry {
    /// keccak256 of the circuit's label and canonical bytes.
    bytes32 public constant CIRCUIT_DIGEST = 0xb65f54c8664677ac086c01b87e4abec57504193bec23516a30e150ffc29efc1a;
    bytes32 private constant MODEL_CONTEXT = 0x54c96f8cf0039988aea1246c741e09d99604558c6dffd9e1b5a033497b8c97e7;
    bytes32 private constant PROOF_CONTEXT = 0x50f87c1935103ffff6b51d6913db9dc4814b42643005c637e9833ce2b32d90a2;

    uint256 private constant ROWS = 8;
    uint256 private constant IMAGE_BYTES = 784;
    uint256 private constant CLASSES = 10;
    uint256 private constant MSM_POINTS = 18;
    /// Points of a proof.
    uint256 private constant POINTS = 8;
    uint256 public constant PROOF_BYTES = 928;
    /// Selector, four words of arguments, then image and proof with their lengths, padded to whole words.
    uint256 private constant CALLDATA_BYTES = 1924;
    /// Where they start in the calldata, and where parts of the proof do.
    uint256 private constant IMAGE_AT = 164;
    uint256 private constant PROOF_AT = 996;
    uint256 private constant SCALARS_AT = 1668;
    uint256 private constant FINAL_AT = 1828;

    /// Order of the groups.
    uint256 private constant R = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    /// At least twice what the precompiles cost under Prague rules: a false proof must not burn all gas, a dearer precompile must not stop us.
    uint256 private constant MSM_GAS = 360000;

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
    uint256 private constant PREFIX = 0x680;
    uint256 private constant CLASS_WEIGHTS = 0x7e0;
    uint256 private constant ALPHA_2 = 0x960;
    uint256 private constant ALPHA_3 = 0x980;
    uint256 private constant ALPHA_4 = 0x9a0;
    uint256 private constant ALPHA_5 = 0x9c0;
    uint256 private constant ALPHA_6 = 0x9e0;
    uint256 private constant ALPHA_7 = 0xa00;
    uint256 private constant ALPHA_8 = 0xa20;
    uint256 private constant ALPHA_9 = 0xa40;
    uint256 private constant ALPHA_10 = 0xa60;
    uint256 private constant ALPHA_11 = 0xa80;
    uint256 private constant ALPHA_12 = 0xaa0;
    uint256 private constant ALPHA_13 = 0xac0;
    uint256 private constant ALPHA_14 = 0xae0;
    uint256 private constant ALPHA_15 = 0xb00;
    uint256 private constant ALPHA_16 = 0xb20;
    uint256 private constant ALPHA_17 = 0xb40;
    uint256 private constant ALPHA_18 = 0xb60;
    uint256 private constant ALPHA_19 = 0xb80;
    uint256 private constant WEIGHT_72 = 0x800;
    uint256 private constant WEIGHT_80 = 0x820;
    uint256 private constant WEIGHT_88 = 0x840;
    uint256 private constant WEIGHT_96 = 0x860;
    uint256 private constant WEIGHT_104 = 0x880;
    uint256 private constant WEIGHT_584 = 0x8c0;
    uint256 private constant WEIGHT_592 = 0x8e0;
    uint256 private constant WEIGHT_600 = 0x900;
    uint256 private constant WEIGHT_608 = 0x920;
    uint256 private constant WEIGHT_616 = 0x940;
    uint256 private constant WEIGHT_328 = 0xba0;
    uint256 private constant WEIGHT_336 = 0xbc0;
    uint256 private constant WEIGHT_344 = 0xbe0;
    uint256 private constant WEIGHT_352 = 0xc00;
    uint256 private constant WEIGHT_360 = 0xc20;
    uint256 private constant WEIGHT_840 = 0xc40;
    uint256 private constant WEIGHT_848 = 0xc60;
    uint256 private constant WEIGHT_856 = 0xc80;
    uint256 private constant WEIGHT_864 = 0xca0;
    uint256 private constant WEIGHT_872 = 0xcc0;
    uint256 private constant CONSTANT_SUM = 0xce0;
    uint256 private constant T0 = 0x140;
    uint256 private constant T1 = 0x160;
    uint256 private constant T2 = 0x180;
    uint256 private constant LANE_HEAD = 0xd00;
    uint256 private constant LIMB_TOP = 0xd20;
    uint256 private constant PACK_HEAD = 0xd40;
    uint256 private constant TABLE_HEAD = 0xd60;
    uint256 private constant BIAS1_TOP = 0xd80;
    uint256 private constant BIAS1_BOTTOM = 0xda0;
    uint256 private constant READS1_TOP = 0xdc0;
    uint256 private constant READS1_BOTTOM = 0xde0;
    uint256 private constant READS_NEXT1_TOP = 0xe00;
    uint256 private constant READS_NEXT1_BOTTOM = 0xe20;
    uint256 private constant READOUT_TOP = 0xe40;
    uint256 private constant READOUT_BOTTOM = 0xe60;
    uint256 private constant PARTIAL_0 = 0xe80;
    uint256 private constant PARTIAL_1 = 0xea0;
    uint256 private constant PARTIAL_2 = 0xec0;
    uint256 private constant PARTIAL_3 = 0xee0;
    uint256 private constant RHO_INVERSE = 0xf00;
    uint256 private constant READOUT_BOTTOM_INVERSE = 0xf20;
    uint256 private constant BIAS1_BOTTOM_INVERSE = 0xf40;
    uint256 private constant READS_NEXT1_BOTTOM_INVERSE = 0xf60;
    uint256 private constant READS1_BOTTOM_INVERSE = 0xf80;
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
    uint256 private constant T18 = 0xfa0;
    uint256 private constant MSM = 0xfc0;
    uint256 private constant ROW0_SCALAR = 0x1040;
    uint256 private constant ROW1_SCALAR = 0x10e0;
    uint256 private constant ROW2_SCALAR = 0x1180;
    uint256 private constant ROW3_SCALAR = 0x1220;
    uint256 private constant ROW4_SCALAR = 0x12c0;
    uint256 private constant ROW5_SCALAR = 0x1360;
    uint256 private constant ROW6_SCALAR = 0x1400;
    uint256 private constant ROW7_SCALAR = 0x14a0;
    uint256 private constant TABLE = 0x14c0;
    uint256 private constant TABLE_SCALAR = 0x1540;
    uint256 private constant LIMB = 0x1560;
    uint256 private constant LIMB_SCALAR = 0x15e0;
    uint256 private constant HORNER = 0x1600;
    uint256 private constant HORNER_SCALAR = 0x1680;
    uint256 private constant CELL = 0x16a0;
    uint256 private constant CELL_SCALAR = 0x1720;
    uint256 private constant LINEAR = 0x1740;
    uint256 private constant LINEAR_SCALAR = 0x17c0;
    uint256 private constant LOOKUP = 0x17e0;
    uint256 private constant LOOKUP_SCALAR = 0x1860;
    uint256 private constant QUOTIENT = 0x1880;
    uint256 private constant QUOTIENT_SCALAR = 0x1900;
    uint256 private constant OPENING = 0x1920;
    uint256 private constant OPENING_SCALAR = 0x19a0;
    uint256 private constant FINAL = 0x19c0;
    uint256 private constant FINAL_SCALAR = 0x1a40;
    uint256 private constant GENERATOR = 0x1a60;
    uint256 private constant GENERATOR_SCALAR = 0x1ae0;
    uint256 private constant SUM = 0x1b00;
    uint256 private constant PAIRS = 0x1b80;

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
            canonical := and(canonical, iszero(shr(128, calldataload(add(IMAGE_AT, 784)))))
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
            mcopy(add(STATE, 512), add(MSM, 816), 48)
            mcopy(add(STATE, 560), add(MSM, 880), 48)
            mcopy(add(STATE, 608), add(MSM, 976), 48)
            mcopy(add(STATE, 656), add(MSM, 1040), 48)
            mcopy(add(STATE, 704), add(MSM, 1136), 48)
            mcopy(add(STATE, 752), add(MSM, 1200), 48)
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
            mstore(GENERATOR, 0x0000000000000000000000000000000017f1d3a73197d7942695638c4fa9ac0f)
            mstore(add(GENERATOR, 32), 0xc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb)
            mstore(add(GENERATOR, 64), 0x0000000000000000000000000000000008b3f481e3aaa0f1a09e30ed741d8ae4)
            mstore(add(GENERATOR, 96), 0xfcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1)
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
            calldatacopy(add(FINAL, 16), FINAL_AT, 48)
            calldatacopy(add(FINAL, 80), add(FINAL_AT, 48), 48)
            infinite := or(infinite, iszero(mload(add(FINAL, 32))))
            // wrong = 1 + i for the first of the 8 points, from limb on, with x == 0
            if infinite {
                for { let i := 0 } lt(i, 8) { i := add(i, 1) } {
                    let x := add(LIMB, mul(i, STRIDE))
                    if iszero(or(mload(x), mload(add(x, 32)))) {
                        wrong := add(i, 1)
                        break
                    }
                }
            }
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
            mstore(T0, add(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000, mulmod(mload(ALPHA), 0x1000000000000, r)))
            // weight_72 = -alpha^9 + 281474976710656 * alpha^10
            mstore(WEIGHT_72, mulmod(mload(T0), mload(ALPHA_9), r))
            // weight_80 = -alpha^10 + 281474976710656 * alpha^11
            mstore(WEIGHT_80, mulmod(mload(T0), mload(ALPHA_10), r))
            // weight_88 = -alpha^11 + 281474976710656 * alpha^12
            mstore(WEIGHT_88, mulmod(mload(T0), mload(ALPHA_11), r))
            // weight_96 = -alpha^12 + 281474976710656 * alpha^13
            mstore(WEIGHT_96, mulmod(mload(ALPHA_12), mload(T0), r))
            // weight_104 = alpha^7 - alpha^13
            mstore(WEIGHT_104, sub(r, mulmod(mload(ALPHA_7), add(mload(ALPHA_6), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), r)))
            // weight_584 = -alpha^14 + 281474976710656 * alpha^15
            mstore(WEIGHT_584, mulmod(mload(ALPHA_14), mload(T0), r))
            // weight_592 = -alpha^15 + 281474976710656 * alpha^16
            mstore(WEIGHT_592, mulmod(mload(ALPHA_15), mload(T0), r))
            // weight_600 = -alpha^16 + 281474976710656 * alpha^17
            mstore(WEIGHT_600, mulmod(mload(ALPHA_16), mload(T0), r))
            // weight_608 = -alpha^17 + 281474976710656 * alpha^18
            mstore(WEIGHT_608, mulmod(mload(ALPHA_17), mload(T0), r))
            // weight_616 = alpha^8 - alpha^18
            mstore(WEIGHT_616, sub(r, mulmod(mload(ALPHA_8), add(mload(ALPHA_10), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), r)))
            // weight_360 = -alpha^13
            mstore(WEIGHT_360, sub(r, mload(ALPHA_13)))
            // weight_872 = -alpha^18
            mstore(WEIGHT_872, sub(r, mload(ALPHA_18)))
            mstore(T1, add(0x800000800000800000800000800000800000800000800000800000800000, mulmod(mload(ALPHA), add(0x800000800000800000800000000000000000000000000000000000000000, mulmod(mload(ALPHA), add(0x800000000000800000000000800000000000800000000000800000000000, mulmod(mload(ALPHA), 0x800000000000800000000000800000000000800000000000800000000000, r)), r)), r)))
            mstore(T2, add(0x800000800000800000800000800000800000800000800000800000800000, mulmod(mload(ALPHA), add(0x800000800000800000800000800000800000800000800000800000800000, mulmod(mload(ALPHA), add(0x800000800000800000800000800000800000800000800000800000800000, mulmod(mload(T1), mload(ALPHA), r)), r)), r)))
            mstore(CONSTANT_SUM, add(0x800000800000800000800000800000800000800000800000800000800000, mulmod(mload(ALPHA), add(0x800000800000800000800000800000800000800000800000800000800000, mulmod(mload(T2), mload(ALPHA), r)), r)))
            mstore(WEIGHT_328, mload(WEIGHT_72))
            mstore(WEIGHT_336, mload(WEIGHT_80))
            mstore(WEIGHT_344, mload(WEIGHT_88))
            mstore(WEIGHT_352, mload(WEIGHT_96))
            mstore(WEIGHT_840, mload(WEIGHT_584))
            mstore(WEIGHT_848, mload(WEIGHT_592))
            mstore(WEIGHT_856, mload(WEIGHT_600))
            mstore(WEIGHT_864, mload(WEIGHT_608))
            // prefix[i + 1] = prefix[i] + alpha^(9 + i): the weights of the first i + 1 classes
            let sum := 0
            sum := addmod(sum, mload(ALPHA_9), r)
            mstore(add(PREFIX, 32), sum)
            sum := addmod(sum, mload(ALPHA_10), r)
            mstore(add(PREFIX, 64), sum)
            sum := addmod(sum, mload(ALPHA_11), r)
            mstore(add(PREFIX, 96), sum)
            sum := addmod(sum, mload(ALPHA_12), r)
            mstore(add(PREFIX, 128), sum)
            sum := addmod(sum, mload(ALPHA_13), r)
            mstore(add(PREFIX, 160), sum)
            sum := addmod(sum, mload(ALPHA_14), r)
            mstore(add(PREFIX, 192), sum)
            sum := addmod(sum, mload(ALPHA_15), r)
            mstore(add(PREFIX, 224), sum)
            sum := addmod(sum, mload(ALPHA_16), r)
            mstore(add(PREFIX, 256), sum)
            sum := addmod(sum, mload(ALPHA_17), r)
            mstore(add(PREFIX, 288), sum)
            sum := addmod(sum, mload(ALPHA_18), r)
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
            mstore(T1, add(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000, mulmod(mload(RHO), 0x1d6c2e6610db2be579e285d21c3be96a5262e5ef54d446d001dd7dd94f4c83f0, r)))
            // bias1_top = alpha * (0x1d6c2e6610db2be579e285d21c3be96a5262e5ef54d446d001dd7dd94f4c83f0 * rho_1 - 1) + 0x679f181891141667e186be8536666f274c8e53b94e2d7a777de0dbdf025ab85c * rho_1 - 1
            mstore(BIAS1_TOP, addmod(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000, add(mulmod(mload(T1), mload(ALPHA), r), mulmod(mload(RHO), 0x679f181891141667e186be8536666f274c8e53b94e2d7a777de0dbdf025ab85c, r)), r))
            // bias1_bottom = -(0x1d6c2e6610db2be579e285d21c3be96a5262e5ef54d446d001dd7dd94f4c83f0 * rho_1 - 1) * (0xc4e8f3a988966e051b31982d33b68de072f5049b1d0e187821f241ffda547a5 * rho_1 + 1)
            mstore(BIAS1_BOTTOM, sub(r, mulmod(mload(T1), add(1, mulmod(mload(RHO), 0xc4e8f3a988966e051b31982d33b68de072f5049b1d0e187821f241ffda547a5, r)), r)))
            mstore(TABLE_HEAD, mload(LANE_HEAD))
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
                u := mulmod(rho, 0x1a112d20409a835fe1b2c3aa0eb455ffbe66f8a0dc0e6bbe91e8a1ba3b6f3441, r)
                square := mulmod(u, u, r)
                term := sub(mulmod(square, square, r), 1)
                top := add(mulmod(add(1, square), addmod(add(1, mload(ALPHA_4)), mulmod(u, add(1, sub(r, mload(ALPHA_4))), r), r), r), mulmod(sub(add(1, r), square), addmod(add(mload(ALPHA_2), mload(ALPHA_6)), mulmod(mulmod(u, quarter, r), add(mload(ALPHA_2), sub(r, mload(ALPHA_6))), r), r), r))
                bottom := term
                u := mulmod(rho, 0x463690b59abcf615a6231d154bcbeebf11f69b4a47af75655a9a50847f96ec43, r)
                square := mulmod(u, u, r)
                term := sub(mulmod(square, square, r), 1)
                top := add(mulmod(top, term, r), mulmod(add(mulmod(add(1, square), addmod(add(mload(WEIGHT_72), mload(WEIGHT_584)), mulmod(u, add(mload(WEIGHT_72), sub(r, mload(WEIGHT_584))), r), r), r), mulmod(sub(add(1, r), square), addmod(add(mload(WEIGHT_328), mload(WEIGHT_840)), mulmod(mulmod(u, quarter, r), add(mload(WEIGHT_328), sub(r, mload(WEIGHT_840))), r), r), r)), bottom, r))
                bottom := mulmod(bottom, term, r)
                u := mulmod(rho, 0x596a3d0ddae097ebcf95c6ee2bfcfce81a2bee506858fc6870b11e11ba54d0f, r)
                square := mulmod(u, u, r)
                term := sub(mulmod(square, square, r), 1)
                top := add(mulmod(top, term, r), mulmod(add(mulmod(add(1, square), addmod(add(mload(WEIGHT_80), mload(WEIGHT_592)), mulmod(u, add(mload(WEIGHT_80), sub(r, mload(WEIGHT_592))), r), r), r), mulmod(sub(add(1, r), square), addmod(add(mload(WEIGHT_336), mload(WEIGHT_848)), mulmod(mulmod(u, quarter, r), add(mload(WEIGHT_336), sub(r, mload(WEIGHT_848))), r), r), r)), bottom, r))
                bottom := mulmod(bottom, term, r)
                u := mulmod(rho, 0x18780c47d9f8e63309b97ddd04dcc90920b2b183f7ec0b194222925245f4e2fb, r)
                square := mulmod(u, u, r)
                term := sub(mulmod(square, square, r), 1)
                top := add(mulmod(top, term, r), mulmod(add(mulmod(add(1, square), addmod(add(mload(WEIGHT_88), mload(WEIGHT_600)), mulmod(u, add(mload(WEIGHT_88), sub(r, mload(WEIGHT_600))), r), r), r), mulmod(sub(add(1, r), square), addmod(add(mload(WEIGHT_344), mload(WEIGHT_856)), mulmod(mulmod(u, quarter, r), add(mload(WEIGHT_344), sub(r, mload(WEIGHT_856))), r), r), r)), bottom, r))
                bottom := mulmod(bottom, term, r)
                u := mulmod(rho, 0x20e9cd3a7fca77e38a490835c612d67951d460a1dbfcd267df2b12e5b0330148, r)
                square := mulmod(u, u, r)
                term := sub(mulmod(square, square, r), 1)
                top := add(mulmod(top, term, r), mulmod(add(mulmod(add(1, square), addmod(add(mload(WEIGHT_96), mload(WEIGHT_608)), mulmod(u, add(mload(WEIGHT_96), sub(r, mload(WEIGHT_608))), r), r), r), mulmod(sub(add(1, r), square), addmod(add(mload(WEIGHT_352), mload(WEIGHT_864)), mulmod(mulmod(u, quarter, r), add(mload(WEIGHT_352), sub(r, mload(WEIGHT_864))), r), r), r)), bottom, r))
                bottom := mulmod(bottom, term, r)
                u := mulmod(rho, 0x7aa611dcedcb15b720543223d96f0ac8d28fb6cae51baff7ef262ffa8f8c918, r)
                square := mulmod(u, u, r)
                term := sub(mulmod(square, square, r), 1)
                top := add(mulmod(top, term, r), mulmod(add(mulmod(add(1, square), addmod(add(mload(WEIGHT_104), mload(WEIGHT_616)), mulmod(u, add(mload(WEIGHT_104), sub(r, mload(WEIGHT_616))), r), r), r), mulmod(sub(add(1, r), square), addmod(add(mload(WEIGHT_360), mload(WEIGHT_872)), mulmod(mulmod(u, quarter, r), add(mload(WEIGHT_360), sub(r, mload(WEIGHT_872))), r), r), r)), bottom, r))
                bottom := mulmod(bottom, term, r)
                u := mulmod(rho, 0x5a56acc5d6a40c8de1f7cc23d4a0a0fa3d4dee80538980eca8e45d0230d79fe6, r)
                square := mulmod(u, u, r)
                term := sub(mulmod(square, square, r), 1)
                top := add(mulmod(top, term, r), mulmod(add(mulmod(add(1, square), addmod(add(mload(ALPHA), mload(ALPHA_5)), mulmod(u, add(mload(ALPHA), sub(r, mload(ALPHA_5))), r), r), r), mulmod(sub(add(1, r), square), addmod(add(mload(ALPHA_3), mload(ALPHA_19)), mulmod(mulmod(u, quarter, r), add(mload(ALPHA_3), sub(r, mload(ALPHA_19))), r), r), r)), bottom, r))
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
            mstore(T0, mulmod(mulmod(mload(RHO_32), mload(RHO_64), r), mulmod(mload(RHO_16), mulmod(mload(RHO_128), addmod(mload(PIXELS), mulmod(mload(RHO_512), mulmod(mload(RHO_16), mload(RHO_256), r), r), r), r), r), r))
            mstore(T1, mulmod(mload(DELTA), mload(DELTA), r))
            mstore(T2, mulmod(mload(T1), mload(DELTA), r))
            mstore(T3, mulmod(mload(T2), mload(DELTA), r))
            mstore(T4, add(mulmod(mload(RHO), 0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854, r), sub(r, mload(ZETA))))
            mstore(T5, mulmod(mload(T3), mload(T4), r))
            mstore(ROW0_SCALAR, mulmod(mload(T5), add(mulmod(mload(T0), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc00000, r), mulmod(mload(VANISHING), 0x73d0abe954d315e8e12d0992079f6f8f5268b499ff3e5c68003fffff00400001, r)), r))
            mstore(ROW1_SCALAR, mulmod(mload(ROW0_SCALAR), mload(ALPHA), r))
            mstore(ROW2_SCALAR, mulmod(mload(ROW0_SCALAR), mload(ALPHA_2), r))
            mstore(ROW3_SCALAR, mulmod(mload(ROW0_SCALAR), mload(ALPHA_3), r))
            mstore(ROW4_SCALAR, mulmod(mload(ROW0_SCALAR), mload(ALPHA_4), r))
            mstore(ROW5_SCALAR, mulmod(mload(ROW0_SCALAR), mload(ALPHA_5), r))
            mstore(ROW6_SCALAR, mulmod(mload(ROW0_SCALAR), mload(ALPHA_6), r))
            mstore(T6, addmod(mulmod(mulmod(mload(READS1_TOP), mulmod(mload(CELL_VALUE), mload(READS1_BOTTOM_INVERSE), r), r), 0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe000000, r), add(mulmod(mulmod(mload(BIAS1_BOTTOM_INVERSE), mload(BIAS1_TOP), r), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc00000, r), mulmod(mulmod(mload(READS_NEXT1_TOP), mulmod(mload(READS_NEXT1_BOTTOM_INVERSE), mulmod(mload(ALPHA), mload(CELL_NEXT_VALUE), r), r), r), 0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe000000, r)), r))
            mstore(ROW7_SCALAR, mulmod(mload(ALPHA_7), mulmod(mload(T5), mulmod(mload(T6), mload(VANISHING), r), r), r))
            mstore(T7, mulmod(mload(NU), mload(NU), r))
            // table_scalar = -nu^2 * (0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta)
            mstore(TABLE_SCALAR, sub(r, mulmod(mload(T7), mload(T4), r)))
            // cell_scalar = nu^3
            mstore(CELL_SCALAR, mulmod(mload(T7), mload(NU), r))
            mstore(T8, add(mload(RHO), sub(r, mload(ZETA))))
            mstore(T9, addmod(sub(0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000002, mload(T4)), mulmod(mload(T8), mulmod(mload(CELL_SCALAR), add(mulmod(mload(LANE_HEAD), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfefffffffeffffffff, r), mulmod(mload(LIMB_TOP), mulmod(mload(T1), mload(CELL_VALUE), r), r)), r), r), r))
            // limb_scalar = nu^4 * (cell * delta^2 * limb_top - 2 * lane_head) * (rho - zeta) - nu * (0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta)
            mstore(LIMB_SCALAR, mulmod(mload(T9), mload(NU), r))
            mstore(T10, mulmod(mload(T8), mulmod(mload(CELL_SCALAR), mload(NU), r), r))
            mstore(T11, addmod(mload(PACK_HEAD), add(mulmod(mload(LANE_HEAD), 255, r), mulmod(mulmod(mload(VANISHING), mulmod(mload(READOUT_TOP), mulmod(mload(DELTA), mload(READOUT_BOTTOM_INVERSE), r), r), r), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc00000, r)), r))
            mstore(HORNER_SCALAR, sub(r, mulmod(mload(T2), add(mload(T10), mulmod(mload(T4), add(mload(T11), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfefffffffeffffff01), r)), r)))
            mstore(T12, addmod(mload(T10), sub(0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000002, mload(T4)), r))
            // linear_scalar = -delta^4 * nu^4 * (rho - zeta) + delta^4 * (0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta)
            mstore(LINEAR_SCALAR, sub(r, mulmod(mload(T3), mload(T12), r)))
            mstore(T13, add(mload(BETA), mload(LIMB_VALUE)))
            // lookup_scalar = -delta^5 * nu^4 * (beta + limb) * (beta + table) * (rho - zeta) + delta^5 * (0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta) * (beta + limb) * (beta + table)
            mstore(LOOKUP_SCALAR, sub(r, mulmod(add(mload(BETA), mload(TABLE_VALUE)), mulmod(mload(T13), mulmod(mload(T12), mulmod(mload(T3), mload(DELTA), r), r), r), r)))
            // quotient_scalar = vanishing * (0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta)
            mstore(QUOTIENT_SCALAR, mulmod(mload(T4), mload(VANISHING), r))
            // opening_scalar = -(0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta) * (rho - zeta)
            mstore(OPENING_SCALAR, sub(r, mulmod(mload(T8), mload(T4), r)))
            mstore(T14, add(mload(CELL_VALUE), mulmod(mulmod(mload(RHO_INVERSE), mulmod(mload(T8), add(mload(CELL_VALUE), sub(r, mload(CELL_NEXT_VALUE))), r), r), 0x2de3d72d1b3e85eac2da366e5e1caff2be07683fc3a780750ad7178ed97e5788, r)))
            mstore(T15, add(mulmod(mload(CONSTANT_SUM), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc00000, r), mulmod(mload(DELTA), addmod(add(mload(BETA), mload(TABLE_VALUE)), sub(r, mulmod(mload(TABLE_HEAD), mulmod(mload(T13), mload(CELL_VALUE), r), r)), r), r)))
            mstore(T16, add(mulmod(mload(DELTA), add(mulmod(mload(T15), mload(DELTA), r), sub(r, mulmod(mload(LIMB_VALUE), add(mload(LANE_HEAD), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), r))), r), mulmod(mload(LIMB_TOP), add(sub(r, mload(CELL_NEXT_VALUE)), mulmod(mload(CELL_VALUE), add(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfefffffffeffff8001, mulmod(mload(LIMB_VALUE), 256, r)), r)), r)))
            mstore(T17, mulmod(mload(DELTA), add(mulmod(mload(T16), mload(DELTA), r), sub(r, mulmod(mload(LIMB_TOP), mulmod(mload(CELL_VALUE), add(mload(CELL_VALUE), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), r), r))), r))
            mstore(T18, add(sub(r, mload(LINEARISED_NEXT_VALUE)), addmod(mulmod(mload(LANE_HEAD), add(mload(LIMB_VALUE), mulmod(mload(CELL_NEXT_VALUE), 256, r)), r), add(mload(T17), mulmod(mload(NU), add(mload(LIMB_VALUE), mulmod(mload(NU), mload(TABLE_VALUE), r)), r)), r)))
            mstore(GENERATOR_SCALAR, add(mulmod(mload(T4), mload(T18), r), mulmod(mload(NU), mulmod(mload(T7), addmod(sub(0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000002, mload(T14)), mulmod(mload(NU), mulmod(mload(T8), mload(LINEARISED_NEXT_VALUE), r), r), r), r), r)))
            mstore(FINAL_SCALAR, mload(ZETA))
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
    uint256 private constant FINAL_GAS = 205_800;

    /// Whether the sum opens: with L the folded commitment, SUM = L - value [1] + zeta final. Precompile 0x0f (EIP-2537).
    function _opens() private view returns (bool holds) {
        // e(L - value [1] + zeta final, [1]) == e(final, [tau]), computed as e(SUM, -[1]) e(final, [tau]) == 1
        assembly {
            mcopy(PAIRS, SUM, 128)
            mstore(add(PAIRS, 128), 0x00000000000000000000000000000000024aa2b2f08f0a91260805272dc51051)
            mstore(add(PAIRS, 160), 0xc6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8)
            mstore(add(PAIRS, 192), 0x0000000000000000000000000000000013e02b6052719f607dacd3a088274f65)
            mstore(add(PAIRS, 224), 0x596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e)
            mstore(add(PAIRS, 256), 0x000000000000000000000000000000000d1b3cc2c7027888be51d9ef691d77bc)
            mstore(add(PAIRS, 288), 0xb679afda66c73f17f9ee3837a55024f78c71363275a75d75d86bab79f74782aa)
            mstore(add(PAIRS, 320), 0x0000000000000000000000000000000013fa4d4a0ad8b1ce186ed5061789213d)
            mstore(add(PAIRS, 352), 0x993923066dddaf1040bc3ff59f825c78df74f2d75467e25e0f55f8a00fa030ed)
            mcopy(add(PAIRS, 384), FINAL, 128)
            mstore(add(PAIRS, 512), 0x00000000000000000000000000000000185cbfee53492714734429b7b38608e2)
            mstore(add(PAIRS, 544), 0x3926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2)
            mstore(add(PAIRS, 576), 0x0000000000000000000000000000000015bfd7dd8cdeb128843bc287230af389)
            mstore(add(PAIRS, 608), 0x26187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72)
            mstore(add(PAIRS, 640), 0x00000000000000000000000000000000014353bdb96b626dd7d5ee8599d1fca2)
            mstore(add(PAIRS, 672), 0x131569490e28de18e82451a496a9c9794ce26d105941f383ee689bfbbb832a99)
            mstore(add(PAIRS, 704), 0x000000000000000000000000000000001666c54b0a32529503432fcae0181b4b)
            mstore(add(PAIRS, 736), 0xef79de09fc63671fda5ed1ba9bfa07899495346f3d7ac9cd23048ef30d0a154f)
            holds := staticcall(FINAL_GAS, 0x0f, PAIRS, 768, 0x00, 32)
            holds := and(holds, and(eq(returndatasize(), 32), eq(mload(0x00), 1)))
        }
    }
}
