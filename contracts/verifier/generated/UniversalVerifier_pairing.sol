// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

// Made by `python -m zkpredict.contracts.verifier.generate` from the constraints that all compact circuits share. Do not edit.

import {CircuitRegistry} from "./CircuitRegistry.sol";
import {IVerifier} from "./IVerifier.sol";
import {ModelRegistry} from "./ModelRegistry.sol";

/// Checks proofs of "the network registered as `modelId` gives `image` the class `digit`" for every compact circuit.
///
///     registerCircuit(circuit bytes), once per shape; register(digest, rows), once per model; verify(...) for ever
///
/// The protocol is docs/protocol.md; comments say which equation each block computes. All arithmetic is modulo R, the order of
/// BLS12-381's groups. A memory word may hold a number above R where the next operation reduces it (see `addmod`).
contract UniversalVerifier_pairing is IVerifier, ModelRegistry, CircuitRegistry {
    /// Points of a proof.
    uint256 private constant POINTS = 8;
    uint256 public constant PROOF_BYTES = 928;
    /// The same as whole words.
    uint256 private constant PROOF_PADDED = 928;
    /// Where the image starts in the calldata.
    uint256 private constant IMAGE_AT = 164;
    /// Points of the multi-scalar multiplication before the model's rows.
    uint256 private constant POINTS_BEFORE_ROWS = 10;

    /// Order of the groups.
    uint256 private constant R = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    /// At least twice what the precompile costs for a point under Prague rules: a false proof must not burn all gas, a dearer
    /// precompile must not stop us.
    uint256 private constant MSM_POINT_GAS = 20_000;

    // Memory: one word for each value, but for the areas at the end. What is derived of the circuit lies before all of them.
    uint256 private constant STATE = 0x2060;
    uint256 private constant LIMB_VALUE = 0x22c0;
    uint256 private constant CELL_VALUE = 0x22e0;
    uint256 private constant TABLE_VALUE = 0x2300;
    uint256 private constant CELL_NEXT_VALUE = 0x2320;
    uint256 private constant LINEARISED_NEXT_VALUE = 0x2340;
    uint256 private constant ORDER = 0x2c80;
    uint256 private constant PROOF_PLACE = 0x2ca0;
    uint256 private constant SCALARS_PLACE = 0x2cc0;
    uint256 private constant FINAL_PLACE = 0x2ce0;
    uint256 private constant TOTAL = 0x2d00;
    uint256 private constant ALPHA = 0x2d20;
    uint256 private constant BETA = 0x2d40;
    uint256 private constant DELTA = 0x2d60;
    uint256 private constant RHO = 0x2d80;
    uint256 private constant NU = 0x2da0;
    uint256 private constant ZETA = 0x2dc0;
    uint256 private constant VANISHING = 0x2de0;
    uint256 private constant IMAGE = 0x2e00;
    uint256 private constant CONSTANT_SUM = 0x2e20;
    uint256 private constant PIXELS = 0x2e40;
    uint256 private constant RHO_1 = 0x2e60;
    uint256 private constant RHO_2 = 0x2e80;
    uint256 private constant RHO_4 = 0x2ea0;
    uint256 private constant RHO_8 = 0x2ec0;
    uint256 private constant RHO_16 = 0x2ee0;
    uint256 private constant RHO_32 = 0x2f00;
    uint256 private constant RHO_64 = 0x2f20;
    uint256 private constant RHO_128 = 0x2f40;
    uint256 private constant RHO_256 = 0x2f60;
    uint256 private constant RHO_512 = 0x2f80;
    uint256 private constant RHO_1024 = 0x2fa0;
    uint256 private constant RHO_2048 = 0x2fc0;
    uint256 private constant READOUT_TOP = 0x2fe0;
    uint256 private constant BIAS1_TOP = 0x3000;
    uint256 private constant BOTTOMS = 0x3020;
    uint256 private constant READOUT_BOTTOM = 0x3020;
    uint256 private constant BIAS1_BOTTOM = 0x3040;
    uint256 private constant RHO_BOTTOM = 0x3060;
    uint256 private constant READS_BOTTOMS = 0x3080;
    uint256 private constant PARTIALS = 0x3480;
    uint256 private constant READS_TOPS = 0x38e0;
    uint256 private constant LANE_HEAD = 0x3ce0;
    uint256 private constant LIMB_TOP = 0x3d00;
    uint256 private constant PACK_HEAD = 0x3d20;
    uint256 private constant TABLE_HEAD = 0x3d40;
    uint256 private constant T0 = 0x2120;
    uint256 private constant T1 = 0x2140;
    uint256 private constant T2 = 0x2160;
    uint256 private constant INPUT_ROWS = 0x3d60;
    uint256 private constant BIAS_PART = 0x3d80;
    uint256 private constant READS_FACTOR = 0x3da0;
    uint256 private constant READS_NEXT_FACTOR = 0x3dc0;
    uint256 private constant T3 = 0x2180;
    uint256 private constant T4 = 0x21a0;
    uint256 private constant T5 = 0x21c0;
    uint256 private constant T6 = 0x21e0;
    uint256 private constant T7 = 0x2200;
    uint256 private constant T8 = 0x2220;
    uint256 private constant T9 = 0x2240;
    uint256 private constant T10 = 0x2260;
    uint256 private constant T11 = 0x2280;
    uint256 private constant T12 = 0x22a0;
    uint256 private constant T13 = 0x2360;
    uint256 private constant T14 = 0x2380;
    uint256 private constant T15 = 0x23a0;
    uint256 private constant T16 = 0x23c0;
    uint256 private constant T17 = 0x23e0;
    uint256 private constant SUM = 0x3de0;
    uint256 private constant PAIRS = 0x3e60;
    uint256 private constant MSM = 0x4160;
    uint256 private constant TABLE = 0x4160;
    uint256 private constant TABLE_SCALAR = 0x41e0;
    uint256 private constant LIMB = 0x4200;
    uint256 private constant LIMB_SCALAR = 0x4280;
    uint256 private constant HORNER = 0x42a0;
    uint256 private constant HORNER_SCALAR = 0x4320;
    uint256 private constant CELL = 0x4340;
    uint256 private constant CELL_SCALAR = 0x43c0;
    uint256 private constant LINEAR = 0x43e0;
    uint256 private constant LINEAR_SCALAR = 0x4460;
    uint256 private constant LOOKUP = 0x4480;
    uint256 private constant LOOKUP_SCALAR = 0x4500;
    uint256 private constant QUOTIENT = 0x4520;
    uint256 private constant QUOTIENT_SCALAR = 0x45a0;
    uint256 private constant OPENING = 0x45c0;
    uint256 private constant OPENING_SCALAR = 0x4640;
    uint256 private constant FINAL = 0x4660;
    uint256 private constant FINAL_SCALAR = 0x46e0;
    uint256 private constant GENERATOR = 0x4700;
    uint256 private constant GENERATOR_SCALAR = 0x4780;
    uint256 private constant ROW_POINTS = 0x47a0;
    uint256 private constant VALUES = 0x5ba0;
    uint256 private constant ALPHAS = 0x65a0;

    /// Stores the rows of a model of a registered circuit, and gives its id.
    function register(bytes32 circuitDigest, bytes calldata rows) external returns (bytes32) {
        (uint256 count, bytes32 context) = _rowsOf(circuitDigest);
        return _register(rows, count, context, circuitDigest);
    }

    /// The digest of a registered model's circuit; zero for an unknown model.
    function circuitOf(bytes32 modelId) external view returns (bytes32 circuitDigest) {
        if (_readModel(modelId)) circuitDigest = _tagOf(_dataContract(modelId));
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
        if (!_readModel(modelId)) return (uint32(UnknownModel.selector), uint256(modelId));
        uint256 inputs = _at(INPUTS);
        if (image.length != inputs) return (uint32(WrongImageLength.selector), image.length);
        if (proof.length != PROOF_BYTES) return (uint32(WrongProofLength.selector), proof.length);
        uint256 start = IMAGE_AT + _padded(inputs) + 32;
        if (msg.data.length != start + PROOF_PADDED && !_hasContext(start + PROOF_PADDED)) return (uint32(WrongCalldataLength.selector), msg.data.length);
        if (!_laidOutCanonically(image, proof, start)) return (uint32(WrongCalldataLayout.selector), 0);
        if (digit >= _at(CLASSES)) return (uint32(WrongDigit.selector), digit);
        uint256 wrong = _runTranscript(modelId, digit);
        if (wrong != 0) return wrong > POINTS ? (uint32(ScalarNotCanonical.selector), wrong - POINTS - 1) : (uint32(PointAtInfinity.selector), wrong - 1);
        if (_powersMeetDomain()) return (uint32(ChallengeInDomain.selector), 0);
        _evaluatePixels();
        _evaluateImage();
        _combineWeights(digit);
        _readPacks();
        _readValues(_at(DIFFERENCE_POLE));
        _claim(digit);
        _readValues(_at(LOGIT_POLE));
        _readActivations();
        if (_at(DOMAIN) == 1024) _evaluatePublics1024();
        else _evaluatePublics2048();
        if (!_invert()) return (uint32(PrecompileFailed.selector), 5);
        if (_at(DOMAIN) == 1024) _fold1024();
        else _fold2048();
        _weighRows();
        if (!_multiply()) return (uint32(PrecompileFailed.selector), 0x0c);
        if (!_opens()) return (uint32(OpeningFailed.selector), 0);
        return (0, 0);
    }

    /// The word of memory at `place`.
    function _at(uint256 place) private pure returns (uint256 value) {
        assembly {
            value := mload(place)
        }
    }

    /// `size` as whole words.
    function _padded(uint256 size) private pure returns (uint256) {
        return (size + 31) / 32 * 32;
    }

    /// Whether image and proof lie where every ABI encoder puts them, padded with zeros, so that all places in the calldata follow
    /// from the circuit and a statement with its proof is one string of bytes. `start`: where the proof must be.
    function _laidOutCanonically(bytes calldata image, bytes calldata proof, uint256 start) private pure returns (bool canonical) {
        // canonical = image.offset == IMAGE_AT && proof.offset == start && every byte of padding == 0
        assembly {
            mstore(PROOF_PLACE, start)
            mstore(SCALARS_PLACE, add(start, 672))
            mstore(FINAL_PLACE, add(start, 832))
            canonical := and(eq(image.offset, IMAGE_AT), eq(proof.offset, start))
            // from byte `length` on, length % 32 bytes of that word are not padding; a shift by 256 bits leaves nothing
            let used := mul(8, and(image.length, 31))
            if used { canonical := and(canonical, iszero(shr(used, calldataload(add(IMAGE_AT, image.length))))) }

        }
    }

    /// The circuit's digest in a model's data contract, where the first scalar will lie; zero without code.
    function _tagOf(address data) private view returns (bytes32 tag) {
        // tag = data.code[1 + 128:][:32]
        assembly {
            extcodecopy(data, 0x00, 129, 32)
            tag := mload(0x00)
        }
    }

    /// What is derived of the model's circuit, into the words from DERIVED on, and the model's rows, from their data contracts. The
    /// rows must hash to the id: an address has 160 bits only, so an owner could look for two ids, or an id and a contract, that
    /// share one. The context that is hashed holds the circuit's digest, so that neither rows nor circuit can be another.
    function _readModel(bytes32 modelId) private view returns (bool found) {
        address data = _dataContract(modelId);
        address derived = circuitData[_tagOf(data)];
        // ORDER = R, for blocks that use it often: read from memory it takes one byte of code a time, not 33
        // rows = data.code[1:], each 0^16 | x | 0^16 | y | scalar; found = keccak(MODEL_CONTEXT | x | y | x | y ...) == modelId
        // Without code at `data`, the tag is zero, which is the digest of no circuit. Code at `derived` is this contract's own.
        assembly {
            let size := extcodesize(derived)
            if gt(size, 1) {
                mstore(ORDER, R)
                extcodecopy(derived, DERIVED, 1, sub(size, 1))
                let rows := mload(ROWS)
                extcodecopy(data, ROW_POINTS, 1, mul(rows, STRIDE))
                mstore(STATE, mload(MODEL_CONTEXT))
                let to := add(STATE, 32)
                let end := add(to, mul(rows, POINT_BYTES))
                for { let from := add(ROW_POINTS, 16) } lt(to, end) { from := add(from, STRIDE) } {
                    mcopy(to, from, 48)
                    mcopy(add(to, 48), add(from, 64), 48)
                    to := add(to, POINT_BYTES)
                }
                found := eq(keccak256(STATE, add(32, mul(rows, POINT_BYTES))), modelId)
            }
        }
    }

    /// Copies the proof to where it is used and draws all challenges from it.
    /// 0, or 1 + index of a point at infinity, or POINTS + 1 + index of a scalar >= R.
    function _runTranscript(bytes32 modelId, uint256 digit) private pure returns (uint256 wrong) {
        // state = keccak(PROOF_CONTEXT | modelId | digit | image | context): the last are the 32 bytes behind the proof, or none
        uint256 state;
        assembly {
            mstore(STATE, mload(PROOF_CONTEXT))
            mstore(add(STATE, 32), modelId)
            mstore(add(STATE, 64), digit)
            let length := mload(INPUTS)
            calldatacopy(add(STATE, 96), IMAGE_AT, length)
            length := add(length, 96)
            let end := add(mload(PROOF_PLACE), PROOF_PADDED)
            calldatacopy(add(STATE, length), end, 32)
            state := keccak256(STATE, add(length, sub(calldatasize(), end)))
        }
        // fixed points | points of the proof, each 0^16 | x | 0^16 | y | scalar; the rows lie behind them
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
            calldatacopy(add(LIMB, 16), add(mload(PROOF_PLACE), 0), 48)
            calldatacopy(add(LIMB, 80), add(add(mload(PROOF_PLACE), 0), 48), 48)
            let infinite := iszero(mload(add(LIMB, 32)))
            calldatacopy(add(HORNER, 16), add(mload(PROOF_PLACE), 96), 48)
            calldatacopy(add(HORNER, 80), add(add(mload(PROOF_PLACE), 96), 48), 48)
            infinite := or(infinite, iszero(mload(add(HORNER, 32))))
            calldatacopy(add(CELL, 16), add(mload(PROOF_PLACE), 192), 48)
            calldatacopy(add(CELL, 80), add(add(mload(PROOF_PLACE), 192), 48), 48)
            infinite := or(infinite, iszero(mload(add(CELL, 32))))
            calldatacopy(add(LINEAR, 16), add(mload(PROOF_PLACE), 288), 48)
            calldatacopy(add(LINEAR, 80), add(add(mload(PROOF_PLACE), 288), 48), 48)
            infinite := or(infinite, iszero(mload(add(LINEAR, 32))))
            calldatacopy(add(LOOKUP, 16), add(mload(PROOF_PLACE), 384), 48)
            calldatacopy(add(LOOKUP, 80), add(add(mload(PROOF_PLACE), 384), 48), 48)
            infinite := or(infinite, iszero(mload(add(LOOKUP, 32))))
            calldatacopy(add(QUOTIENT, 16), add(mload(PROOF_PLACE), 480), 48)
            calldatacopy(add(QUOTIENT, 80), add(add(mload(PROOF_PLACE), 480), 48), 48)
            infinite := or(infinite, iszero(mload(add(QUOTIENT, 32))))
            calldatacopy(add(OPENING, 16), add(mload(PROOF_PLACE), 576), 48)
            calldatacopy(add(OPENING, 80), add(add(mload(PROOF_PLACE), 576), 48), 48)
            infinite := or(infinite, iszero(mload(add(OPENING, 32))))
            calldatacopy(add(FINAL, 16), mload(FINAL_PLACE), 48)
            calldatacopy(add(FINAL, 80), add(mload(FINAL_PLACE), 48), 48)
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
            calldatacopy(LIMB_VALUE, mload(SCALARS_PLACE), 160)
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
            calldatacopy(add(STATE, 32), mload(PROOF_PLACE), 576)
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
            calldatacopy(add(STATE, 32), add(mload(PROOF_PLACE), 576), 96)
            state := keccak256(STATE, 128)
            mstore(ZETA, mod(state, r))
        }
    }

    /// Keeps rho^(2^k) for 2^k up to the domain size n, one behind the other, and rho^n - 1. True when rho is zero or in the domain.
    function _powersMeetDomain() private pure returns (bool meets) {
        // rho_2 = rho^2, rho_4 = rho_2^2, ... up to rho_n; vanishing = rho_n - 1; meets = rho == 0 || rho_n == 1
        assembly {
            let r := mload(ORDER)
            let power := mload(RHO)
            mstore(RHO_1, power)
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
            if eq(mload(DOMAIN), 2048) {
                power := mulmod(power, power, r)
                mstore(RHO_2048, power)
            }
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
            let last := add(IMAGE_AT, mload(INPUTS))
            let next := add(IMAGE_AT, add(1, and(sub(mload(INPUTS), 1), 31)))
            let word := shr(mul(8, sub(add(IMAGE_AT, 32), next)), calldataload(IMAGE_AT))
            for { } 1 { next := add(next, 32) } {
                pixels := mulmod(pixels, rho32, r)
                if word {
                    if shr(192, word) { pixels := addmod(pixels, mulmod(rho24, add(add(mul(byte(6, word), rho), byte(7, word)), mulmod(rho2, add(add(mul(byte(4, word), rho), byte(5, word)), mulmod(rho2, add(add(mul(byte(2, word), rho), byte(3, word)), mulmod(rho2, add(mul(byte(0, word), rho), byte(1, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff00000000000000000000000000000000) { pixels := addmod(pixels, mulmod(rho16, add(add(mul(byte(14, word), rho), byte(15, word)), mulmod(rho2, add(add(mul(byte(12, word), rho), byte(13, word)), mulmod(rho2, add(add(mul(byte(10, word), rho), byte(11, word)), mulmod(rho2, add(mul(byte(8, word), rho), byte(9, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff0000000000000000) { pixels := addmod(pixels, mulmod(rho8, add(add(mul(byte(22, word), rho), byte(23, word)), mulmod(rho2, add(add(mul(byte(20, word), rho), byte(21, word)), mulmod(rho2, add(add(mul(byte(18, word), rho), byte(19, word)), mulmod(rho2, add(mul(byte(16, word), rho), byte(17, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff) { pixels := add(pixels, add(add(mul(byte(30, word), rho), byte(31, word)), mulmod(rho2, add(add(mul(byte(28, word), rho), byte(29, word)), mulmod(rho2, add(add(mul(byte(26, word), rho), byte(27, word)), mulmod(rho2, add(mul(byte(24, word), rho), byte(25, word)), r)), r)), r))) }
                }
                if eq(next, last) { break }
                word := calldataload(next)
            }
            mstore(PIXELS, pixels)
        }
    }

    /// rho^exponent, for an exponent below 2n.
    function _rhoTo(uint256 exponent) private pure returns (uint256 result) {
        // result = product of rho_(2^k) over the bits k of the exponent
        assembly {
            let r := mload(ORDER)
            result := 1
            for { let at := RHO_1 } exponent { at := add(at, 32) } {
                if and(exponent, 1) { result := mulmod(result, mload(at), r) }
                exponent := shr(1, exponent)
            }
        }
    }

    /// n times the public polynomial `inputs` at rho, but for its last summand -(rho^n - 1): for each pack that shares a row, a block of
    /// 1 and the pixels, each block above the other.
    function _evaluateImage() private pure {
        uint256 block_ = _rhoTo(_at(INPUTS));
        uint256 packs = _at(INPUT_PACKS);
        uint256 lowest = _rhoTo(_at(DOMAIN) - packs * (_at(INPUTS) + 1) + 1);
        // IMAGE = (rho^inputs + pixels) rho^lowest sum_k alpha^k step^(packs - 1 - k), step = rho^(inputs + 1), lowest = n - packs (inputs + 1) + 1
        assembly {
            let r := mload(ORDER)
            let step := mulmod(block_, mload(RHO), r)
            let total := 0
            let weight := 1
            for { } packs { packs := sub(packs, 1) } {
                total := addmod(mulmod(total, step, r), weight, r)
                weight := mulmod(weight, mload(ALPHA), r)
            }
            mstore(IMAGE, mulmod(mulmod(total, lowest, r), addmod(block_, mload(PIXELS), r), r))
        }
    }

    /// Powers of alpha, and what the constant term and the class equations make of them and of the digit.
    function _combineWeights(uint256 digit) private pure {
        // ALPHAS[e] = alpha^e
        assembly {
            let r := mload(ORDER)
            let alpha := mload(ALPHA)
            let power := 1
            let end := add(ALPHAS, mul(32, mload(EXPONENTS)))
            for { let at := ALPHAS } lt(at, end) { at := add(at, 32) } {
                mstore(at, power)
                power := mulmod(power, alpha, r)
            }
        }
        // With c_i = alpha^(CLASS_EXPONENT + i): equation i reads -(logit i) - (difference i) + (logit of the digit), and [i < digit]
        // VALUES[i] = -c_i, TOTAL = sum c_i, CONSTANT_SUM = sum of c_i for i < digit
        assembly {
            let r := mload(ORDER)
            let total := 0
            let below := 0
            let at := add(ALPHAS, mul(32, mload(CLASS_EXPONENT)))
            let classes := mload(CLASSES)
            for { let i := 0 } lt(i, classes) { i := add(i, 1) } {
                let weight := mload(at)
                if lt(i, digit) { below := addmod(below, weight, r) }
                total := addmod(total, weight, r)
                mstore(add(VALUES, mul(32, i)), sub(r, weight))
                at := add(at, 32)
            }
            mstore(TOTAL, total)
            mstore(CONSTANT_SUM, below)
        }
        // CONSTANT_SUM += sum over packs of alpha^e offset: full packs together, then the last
        assembly {
            let r := mload(ORDER)
            let sum := mload(CONSTANT_SUM)
            let end := add(RECORDS, mul(RECORD_BYTES, mload(LAYERS)))
            for { let record := RECORDS } lt(record, end) { record := add(record, RECORD_BYTES) } {
                let at := add(ALPHAS, mul(32, mload(add(record, PACK_EXPONENT))))
                let last := add(at, mul(32, sub(mload(add(record, PACKS)), 1)))
                let full := 0
                for { } lt(at, last) { at := add(at, 32) } { full := addmod(full, mload(at), r) }
                sum := addmod(sum, mulmod(full, mload(add(record, FULL_OFFSET)), r), r)
                sum := addmod(sum, mulmod(mload(last), mload(add(record, LAST_OFFSET)), r), r)
            }
            mstore(CONSTANT_SUM, sum)
        }
    }

    /// The read-out is top / bottom = sum_j weight_j / (rho/w^j - 1): for each row top = top term + weight bottom, bottom = bottom term.
    /// Here the rows where packs are read: weight alpha^e for a pack's equation e, and for that of an unused slot, which is pinned to zero.
    function _readPacks() private pure {
        // u = rho/w^row, from one slot of a group to the next by a constant factor; rho is not zero, so nothing wraps
        assembly {
            let r := mload(ORDER)
            let top := 0
            let bottom := 1
            let end := add(RECORDS, mul(RECORD_BYTES, mload(LAYERS)))
            for { let record := RECORDS } lt(record, end) { record := add(record, RECORD_BYTES) } {
                let u := mulmod(mload(RHO), mload(add(record, POLE)), r)
                let pitch := mload(add(record, PITCH))
                let at := add(ALPHAS, mul(32, mload(add(record, PACK_EXPONENT))))
                let packs := mload(add(record, PACKS))
                let poles := mload(add(record, POLES))
                for { let i := 0 } lt(i, poles) { i := add(i, 1) } {
                    if eq(i, packs) { at := add(ALPHAS, mul(32, mload(add(record, PINNED_EXPONENT)))) }
                    let term := sub(u, 1)
                    top := add(mulmod(top, term, r), mulmod(mload(at), bottom, r))
                    bottom := mulmod(bottom, term, r)
                    u := mulmod(u, pitch, r)
                    at := add(at, 32)
                }
            }
            mstore(READOUT_TOP, top)
            mstore(READOUT_BOTTOM, bottom)
        }
    }

    /// The rows of a group of 5 wide values a pack, the first value's at the pole 1/w^row = `pole`. Value i is read with the factor
    /// VALUES[i], as `horner` behind it less 2^48 `horner` before it, which is where the value before it in its pack ends.
    function _readValues(uint256 pole) private pure {
        // weight = VALUES[i] - 2^48 VALUES[i + 1], the latter unless value i is the last of its pack or of all
        assembly {
            let r := mload(ORDER)
            let top := mload(READOUT_TOP)
            let bottom := mload(READOUT_BOTTOM)
            let first := mulmod(mload(RHO), pole, r)
            let value := VALUES
            let end := add(VALUES, mul(32, mload(CLASSES)))
            for { } lt(value, end) { } {
                let u := first
                let past := add(value, 160)
                if gt(past, end) { past := end }
                for { } lt(value, past) { } {
                    let weight := mload(value)
                    value := add(value, 32)
                    if lt(value, past) { weight := addmod(weight, mulmod(mload(value), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfefffeffff00000001, r), r) }
                    let term := sub(u, 1)
                    top := add(mulmod(top, term, r), mulmod(weight, bottom, r))
                    bottom := mulmod(bottom, term, r)
                    u := mulmod(u, mload(VALUE_PITCH), r)
                }
                first := mulmod(first, mload(PACK_PITCH), r)
            }
            mstore(READOUT_TOP, top)
            mstore(READOUT_BOTTOM, bottom)
        }
    }

    /// The claimed digit's logit is read once for every class.
    function _claim(uint256 digit) private pure {
        // VALUES[digit] += TOTAL
        assembly {
            let at := add(VALUES, mul(32, digit))
            mstore(at, addmod(mload(at), mload(TOTAL), mload(ORDER)))
        }
    }

    /// For each layer that another reads, the fractions of `reads` and `reads_next`, without their common factors.
    function _readActivations() private pure {
        // y = rho^slots and p = n/slots: top / bottom = sum over 10 lanes l of 1 / (y/w_p^(row + 4 l) - 1), twice: READS_TOPS, BOTTOMS
        assembly {
            let r := mload(ORDER)
            let to := 0
            let end := add(RECORDS, mul(RECORD_BYTES, sub(mload(LAYERS), 1)))
            for { let record := RECORDS } lt(record, end) { record := add(record, RECORD_BYTES) } {
                let y := mload(add(RHO_1, mload(add(record, SLOTS_POWER))))
                for { let pole := ACTIVATION_POLE } lt(pole, LANE_PITCH) { pole := add(pole, 32) } {
                    let u := mulmod(y, mload(add(record, pole)), r)
                    let top := 0
                    let bottom := 1
                    for { let lane := 0 } lt(lane, 10) { lane := add(lane, 1) } {
                        let term := sub(u, 1)
                        top := add(mulmod(top, term, r), bottom)
                        bottom := mulmod(bottom, term, r)
                        u := mulmod(u, mload(add(record, LANE_PITCH)), r)
                    }
                    mstore(add(READS_TOPS, to), top)
                    mstore(add(READS_BOTTOMS, to), bottom)
                    to := add(to, 32)
                }
            }
        }
    }

    // Public polynomials at rho, on 1024 and on 2048 rows. A polynomial of period p with the values v_j, y = rho^(n/p), w of order p:
    //     (rho^n - 1)/p * sum_j v_j / (y/w^j - 1), kept as top / bottom for the sum
    //     1/p * prod_k (1 + (y/w^j)^(2^k)) for a single value 1, in row j: no fraction

    function _evaluatePublics1024() private pure {
        assembly {
            let r := mload(ORDER)
            mstore(T0, add(mload(RHO_512), 1))
            // lane_head = -(0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000 * rho_256 + 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000) * (rho_512 + 1)
            mstore(LANE_HEAD, sub(r, mulmod(mload(T0), add(0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000, mulmod(mload(RHO_256), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000, r)), r)))
            // limb_top = (0x235473339d80c1343b00c0009d80c0000000400000000000 * rho_256 + 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000) * (rho_512 - 1)
            mstore(LIMB_TOP, mulmod(add(mload(RHO_512), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), add(0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000, mulmod(mload(RHO_256), 0x235473339d80c1343b00c0009d80c0000000400000000000, r)), r))
            mstore(PACK_HEAD, sub(r, mulmod(mulmod(add(mload(RHO_64), 1), mulmod(mload(T0), add(mload(RHO_32), 1), r), r), mulmod(add(mload(RHO_256), 1), mulmod(add(mload(RHO_128), 1), add(0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc000000, mulmod(mload(RHO_16), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc000000, r)), r), r), r)))
            mstore(T1, add(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000, mulmod(mload(RHO_1), 0x1d6c2e6610db2be579e285d21c3be96a5262e5ef54d446d001dd7dd94f4c83f0, r)))
            // bias1_top = alpha * (0x1d6c2e6610db2be579e285d21c3be96a5262e5ef54d446d001dd7dd94f4c83f0 * rho_1 - 1) + 0x679f181891141667e186be8536666f274c8e53b94e2d7a777de0dbdf025ab85c * rho_1 - 1
            mstore(BIAS1_TOP, addmod(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000, add(mulmod(mload(T1), mload(ALPHA), r), mulmod(mload(RHO_1), 0x679f181891141667e186be8536666f274c8e53b94e2d7a777de0dbdf025ab85c, r)), r))
            // bias1_bottom = -(0x1d6c2e6610db2be579e285d21c3be96a5262e5ef54d446d001dd7dd94f4c83f0 * rho_1 - 1) * (0xc4e8f3a988966e051b31982d33b68de072f5049b1d0e187821f241ffda547a5 * rho_1 + 1)
            mstore(BIAS1_BOTTOM, sub(r, mulmod(mload(T1), add(1, mulmod(mload(RHO_1), 0xc4e8f3a988966e051b31982d33b68de072f5049b1d0e187821f241ffda547a5, r)), r)))
            mstore(TABLE_HEAD, mload(LANE_HEAD))
            mstore(RHO_BOTTOM, mload(RHO))
        }
    }

    function _evaluatePublics2048() private pure {
        assembly {
            let r := mload(ORDER)
            mstore(T0, add(mload(RHO_1024), 1))
            // lane_head = -(0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000 * rho_512 + 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000) * (rho_1024 + 1)
            mstore(LANE_HEAD, sub(r, mulmod(mload(T0), add(0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000, mulmod(mload(RHO_512), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000, r)), r)))
            // limb_top = (0x235473339d80c1343b00c0009d80c0000000400000000000 * rho_512 + 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000) * (rho_1024 - 1)
            mstore(LIMB_TOP, mulmod(add(mload(RHO_1024), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), add(0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc0000000, mulmod(mload(RHO_512), 0x235473339d80c1343b00c0009d80c0000000400000000000, r)), r))
            mstore(T1, mulmod(mload(T0), add(mload(RHO_512), 1), r))
            mstore(PACK_HEAD, sub(r, mulmod(mulmod(add(mload(RHO_128), 1), add(mload(RHO_256), 1), r), mulmod(mulmod(mload(T1), add(mload(RHO_64), 1), r), add(0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc000000, mulmod(mload(RHO_32), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc000000, r)), r), r)))
            // table_head = -(0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe0000000 * rho_256 + 0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe0000000) * (rho_1024 + 1) * (rho_512 + 1)
            mstore(TABLE_HEAD, sub(r, mulmod(mload(T1), add(0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe0000000, mulmod(mload(RHO_256), 0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe0000000, r)), r)))
            mstore(T2, add(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000, mulmod(mload(RHO_1), 0x2c6aa58b3a749bc62c8e657fe47ea551f32dcc1406da0f4c6704b9c8bb9bf61e, r)))
            // bias1_top = alpha * (0x2c6aa58b3a749bc62c8e657fe47ea551f32dcc1406da0f4c6704b9c8bb9bf61e * rho_1 - 1) + 0x3be2c283e4b4c4e07207d0c1f8045483a3b2e3f6b50892051ac5f1c8a02f30d * rho_1 - 1
            mstore(BIAS1_TOP, addmod(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000, add(mulmod(mload(T2), mload(ALPHA), r), mulmod(mload(RHO_1), 0x3be2c283e4b4c4e07207d0c1f8045483a3b2e3f6b50892051ac5f1c8a02f30d, r)), r))
            // bias1_bottom = (0x2c6aa58b3a749bc62c8e657fe47ea551f32dcc1406da0f4c6704b9c8bb9bf61e * rho_1 - 1) * (0x3be2c283e4b4c4e07207d0c1f8045483a3b2e3f6b50892051ac5f1c8a02f30d * rho_1 - 1)
            mstore(BIAS1_BOTTOM, mulmod(mload(T2), add(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000, mulmod(mload(RHO_1), 0x3be2c283e4b4c4e07207d0c1f8045483a3b2e3f6b50892051ac5f1c8a02f30d, r)), r))
            mstore(RHO_BOTTOM, mload(RHO))
        }
    }

    /// All inverses from one: Montgomery's trick, and the modular exponentiation precompile (EIP-198) for x^(R - 2). The
    /// denominators lie one behind the other from BOTTOMS on, and are replaced by their inverses.
    function _invert() private view returns (bool done) {
        // partial_i = product of the first i; inverse = (product of all)^(R - 2), done = inverse != 0
        // from the last to the first: inverse_i = inverse partial_i, inverse = inverse x_i
        assembly {
            let r := mload(ORDER)
            let end := add(READS_BOTTOMS, mul(64, sub(mload(LAYERS), 1)))
            let product := 1
            for { let at := BOTTOMS } lt(at, end) { at := add(at, 32) } {
                mstore(add(at, 1120), product)
                product := mulmod(product, mload(at), r)
            }
            mstore(STATE, 32)
            mstore(add(STATE, 32), 32)
            mstore(add(STATE, 64), 32)
            mstore(add(STATE, 96), product)
            mstore(add(STATE, 128), sub(r, 2))
            mstore(add(STATE, 160), r)
            done := staticcall(gas(), 0x05, STATE, 192, 0x00, 32)
            done := and(done, eq(returndatasize(), 32))
            let inverse := mload(0x00)
            done := and(done, iszero(iszero(inverse)))
            for { let at := end } gt(at, BOTTOMS) { } {
                at := sub(at, 32)
                let bottom := mload(at)
                mstore(at, mulmod(inverse, mload(add(at, 1120)), r))
                inverse := mulmod(inverse, bottom, r)
            }
        }
    }

    // Linearisation and the multi-point fold of BDFG20: the scalar of each point, and the value that the sum must take at zeta.
    // [x] are commitments, x the values that the proof states; N and M are what the constraints read at rho and at w rho,
    // linear in the columns. Z_here = zeta - rho, Z_there = zeta - w rho; x_scalar = factor of [x] in
    //     L = Z_there ([N] + nu [limb] + nu^2 [table]) + nu^3 [cell] + nu^4 Z_here [M] - Z_here Z_there [opening]
    // value = Z_there (nu limb + nu^2 table - constant - linearised_next) + nu^3 line + nu^4 Z_here linearised_next
    // line = cell + (cell_next - cell) (zeta - rho) / (w rho - rho)
    // The combined rows of the first layer have the scalar INPUT_ROWS, those of a layer that reads another
    //     READS_FACTOR slots reads + READS_NEXT_FACTOR slots reads_next + BIAS_PART

    function _fold1024() private pure {
        assembly {
            let r := mload(ORDER)
            mstore(T0, mulmod(mload(DELTA), mload(DELTA), r))
            mstore(T1, mulmod(mload(T0), mload(DELTA), r))
            mstore(T2, mulmod(mload(T1), mload(DELTA), r))
            mstore(T3, add(mulmod(mload(RHO), 0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854, r), sub(r, mload(ZETA))))
            mstore(INPUT_ROWS, mulmod(mload(T3), mulmod(mload(T2), add(mulmod(mload(IMAGE), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc00000, r), mulmod(mload(VANISHING), 0x73d0abe954d315e8e12d0992079f6f8f5268b499ff3e5c68003fffff00400001, r)), r), r))
            // quotient_scalar = vanishing * (0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta)
            mstore(QUOTIENT_SCALAR, mulmod(mload(T3), mload(VANISHING), r))
            mstore(T4, mulmod(mload(T2), mload(QUOTIENT_SCALAR), r))
            // bias_part = 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc00000 * bias1_bottom_inverse * bias1_top * delta^4 * vanishing * (0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta)
            mstore(BIAS_PART, mulmod(mulmod(mload(BIAS1_TOP), mulmod(mload(T4), mload(BIAS1_BOTTOM), r), r), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc00000, r))
            // reads_factor = 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc00000 * cell * delta^4 * vanishing * (0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta)
            mstore(READS_FACTOR, mulmod(mulmod(mload(T4), mload(CELL_VALUE), r), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc00000, r))
            // reads_next_factor = 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc00000 * alpha * cell_next * delta^4 * vanishing * (0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta)
            mstore(READS_NEXT_FACTOR, mulmod(mulmod(mload(CELL_NEXT_VALUE), mulmod(mload(T4), mload(ALPHA), r), r), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc00000, r))
            mstore(T5, mulmod(mload(NU), mload(NU), r))
            // table_scalar = -nu^2 * (0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta)
            mstore(TABLE_SCALAR, sub(r, mulmod(mload(T5), mload(T3), r)))
            // cell_scalar = nu^3
            mstore(CELL_SCALAR, mulmod(mload(T5), mload(NU), r))
            mstore(T6, add(mload(RHO), sub(r, mload(ZETA))))
            mstore(T7, addmod(sub(0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000002, mload(T3)), mulmod(mload(T6), mulmod(mload(CELL_SCALAR), add(mulmod(mload(LANE_HEAD), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfefffffffeffffffff, r), mulmod(mload(LIMB_TOP), mulmod(mload(T0), mload(CELL_VALUE), r), r)), r), r), r))
            // limb_scalar = nu^4 * (cell * delta^2 * limb_top - 2 * lane_head) * (rho - zeta) - nu * (0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta)
            mstore(LIMB_SCALAR, mulmod(mload(T7), mload(NU), r))
            mstore(T8, mulmod(mload(T6), mulmod(mload(CELL_SCALAR), mload(NU), r), r))
            mstore(T9, addmod(mload(PACK_HEAD), add(mulmod(mload(LANE_HEAD), 255, r), mulmod(mulmod(mload(VANISHING), mulmod(mload(READOUT_TOP), mulmod(mload(DELTA), mload(READOUT_BOTTOM), r), r), r), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc00000, r)), r))
            mstore(HORNER_SCALAR, sub(r, mulmod(mload(T1), add(mload(T8), mulmod(mload(T3), add(mload(T9), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfefffffffeffffff01), r)), r)))
            mstore(T10, addmod(mload(T8), sub(0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000002, mload(T3)), r))
            // linear_scalar = -delta^4 * nu^4 * (rho - zeta) + delta^4 * (0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta)
            mstore(LINEAR_SCALAR, sub(r, mulmod(mload(T2), mload(T10), r)))
            mstore(T11, add(mload(BETA), mload(LIMB_VALUE)))
            // lookup_scalar = -delta^5 * nu^4 * (beta + limb) * (beta + table) * (rho - zeta) + delta^5 * (0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta) * (beta + limb) * (beta + table)
            mstore(LOOKUP_SCALAR, sub(r, mulmod(add(mload(BETA), mload(TABLE_VALUE)), mulmod(mload(T11), mulmod(mload(T10), mulmod(mload(T2), mload(DELTA), r), r), r), r)))
            // opening_scalar = -(0x325db5c3debf77a18f4de02c0f776af3ea437f9626fc085e3c28d666a5c2d854 * rho - zeta) * (rho - zeta)
            mstore(OPENING_SCALAR, sub(r, mulmod(mload(T6), mload(T3), r)))
            mstore(T12, add(mload(CELL_VALUE), mulmod(mulmod(mload(RHO_BOTTOM), mulmod(mload(T6), add(mload(CELL_VALUE), sub(r, mload(CELL_NEXT_VALUE))), r), r), 0x2de3d72d1b3e85eac2da366e5e1caff2be07683fc3a780750ad7178ed97e5788, r)))
            mstore(T13, add(mulmod(mload(CONSTANT_SUM), 0x1cfb69d4ca675f520cce76020268760154ef6900bfff96ffbfffffffc00000, r), mulmod(mload(DELTA), addmod(add(mload(BETA), mload(TABLE_VALUE)), sub(r, mulmod(mload(TABLE_HEAD), mulmod(mload(T11), mload(CELL_VALUE), r), r)), r), r)))
            mstore(T14, add(mulmod(mload(DELTA), add(mulmod(mload(T13), mload(DELTA), r), sub(r, mulmod(mload(LIMB_VALUE), add(mload(LANE_HEAD), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), r))), r), mulmod(mload(LIMB_TOP), add(sub(r, mload(CELL_NEXT_VALUE)), mulmod(mload(CELL_VALUE), add(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfefffffffeffff8001, mulmod(mload(LIMB_VALUE), 256, r)), r)), r)))
            mstore(T15, mulmod(mload(DELTA), add(mulmod(mload(T14), mload(DELTA), r), sub(r, mulmod(mload(LIMB_TOP), mulmod(mload(CELL_VALUE), add(mload(CELL_VALUE), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), r), r))), r))
            mstore(T16, add(sub(r, mload(LINEARISED_NEXT_VALUE)), addmod(mulmod(mload(LANE_HEAD), add(mload(LIMB_VALUE), mulmod(mload(CELL_NEXT_VALUE), 256, r)), r), add(mload(T15), mulmod(mload(NU), add(mload(LIMB_VALUE), mulmod(mload(NU), mload(TABLE_VALUE), r)), r)), r)))
            mstore(GENERATOR_SCALAR, add(mulmod(mload(T3), mload(T16), r), mulmod(mload(NU), mulmod(mload(T5), addmod(sub(0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000002, mload(T12)), mulmod(mload(NU), mulmod(mload(T6), mload(LINEARISED_NEXT_VALUE), r), r), r), r), r)))
            mstore(FINAL_SCALAR, mload(ZETA))
        }
    }

    function _fold2048() private pure {
        assembly {
            let r := mload(ORDER)
            mstore(T0, mulmod(mload(DELTA), mload(DELTA), r))
            mstore(T1, mulmod(mload(T0), mload(DELTA), r))
            mstore(T2, mulmod(mload(T1), mload(DELTA), r))
            mstore(T3, add(mload(ZETA), mulmod(mload(RHO), 0x6ea8837cd53b51429480da6ff98e69efdd33bf14161f9d1b57c74a1a632861c, r)))
            mstore(INPUT_ROWS, sub(r, mulmod(mulmod(mload(T2), mload(T3), r), add(mulmod(mload(IMAGE), 0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000, r), mulmod(mload(VANISHING), 0x73df299e3f3849988a3370cd08a0a3ca53132c4e7f9e5c33801fffff00200001, r)), r)))
            mstore(T4, mulmod(mload(T3), mload(VANISHING), r))
            mstore(T5, mulmod(mload(T2), mload(T4), r))
            mstore(BIAS_PART, mulmod(mulmod(mload(BIAS1_TOP), mulmod(mload(T5), mload(BIAS1_BOTTOM), r), r), 0x73df299e3f3849988a3370cd08a0a3ca53132c4e7f9e5c33801fffff00200001, r))
            // reads_factor = 0x73df299e3f3849988a3370cd08a0a3ca53132c4e7f9e5c33801fffff00200001 * cell * delta^4 * vanishing * (0x6ea8837cd53b51429480da6ff98e69efdd33bf14161f9d1b57c74a1a632861c * rho + zeta)
            mstore(READS_FACTOR, mulmod(mulmod(mload(T5), mload(CELL_VALUE), r), 0x73df299e3f3849988a3370cd08a0a3ca53132c4e7f9e5c33801fffff00200001, r))
            // reads_next_factor = 0x73df299e3f3849988a3370cd08a0a3ca53132c4e7f9e5c33801fffff00200001 * alpha * cell_next * delta^4 * vanishing * (0x6ea8837cd53b51429480da6ff98e69efdd33bf14161f9d1b57c74a1a632861c * rho + zeta)
            mstore(READS_NEXT_FACTOR, mulmod(mulmod(mload(CELL_NEXT_VALUE), mulmod(mload(T5), mload(ALPHA), r), r), 0x73df299e3f3849988a3370cd08a0a3ca53132c4e7f9e5c33801fffff00200001, r))
            mstore(T6, mulmod(mload(NU), mload(NU), r))
            // table_scalar = nu^2 * (0x6ea8837cd53b51429480da6ff98e69efdd33bf14161f9d1b57c74a1a632861c * rho + zeta)
            mstore(TABLE_SCALAR, mulmod(mload(T6), mload(T3), r))
            // cell_scalar = nu^3
            mstore(CELL_SCALAR, mulmod(mload(T6), mload(NU), r))
            mstore(T7, add(mload(RHO), sub(r, mload(ZETA))))
            mstore(T8, addmod(mload(T3), mulmod(mload(T7), mulmod(mload(CELL_SCALAR), add(mulmod(mload(LANE_HEAD), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfefffffffeffffffff, r), mulmod(mload(LIMB_TOP), mulmod(mload(T0), mload(CELL_VALUE), r), r)), r), r), r))
            // limb_scalar = nu^4 * (cell * delta^2 * limb_top - 2 * lane_head) * (rho - zeta) + nu * (0x6ea8837cd53b51429480da6ff98e69efdd33bf14161f9d1b57c74a1a632861c * rho + zeta)
            mstore(LIMB_SCALAR, mulmod(mload(T8), mload(NU), r))
            mstore(T9, mulmod(mload(T7), mulmod(mload(CELL_SCALAR), mload(NU), r), r))
            mstore(T10, addmod(mload(PACK_HEAD), add(mulmod(mload(LANE_HEAD), 255, r), mulmod(mulmod(mload(VANISHING), mulmod(mload(READOUT_TOP), mulmod(mload(DELTA), mload(READOUT_BOTTOM), r), r), r), 0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000, r)), r))
            mstore(HORNER_SCALAR, sub(r, mulmod(mload(T1), add(mload(T9), sub(r, mulmod(mload(T3), add(mload(T10), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfefffffffeffffff01), r))), r)))
            mstore(T11, addmod(mload(T9), mload(T3), r))
            // linear_scalar = -delta^4 * nu^4 * (rho - zeta) - delta^4 * (0x6ea8837cd53b51429480da6ff98e69efdd33bf14161f9d1b57c74a1a632861c * rho + zeta)
            mstore(LINEAR_SCALAR, sub(r, mulmod(mload(T2), mload(T11), r)))
            mstore(T12, add(mload(BETA), mload(LIMB_VALUE)))
            // lookup_scalar = -delta^5 * nu^4 * (beta + limb) * (beta + table) * (rho - zeta) - delta^5 * (0x6ea8837cd53b51429480da6ff98e69efdd33bf14161f9d1b57c74a1a632861c * rho + zeta) * (beta + limb) * (beta + table)
            mstore(LOOKUP_SCALAR, sub(r, mulmod(add(mload(BETA), mload(TABLE_VALUE)), mulmod(mload(T12), mulmod(mload(T11), mulmod(mload(T2), mload(DELTA), r), r), r), r)))
            // quotient_scalar = -vanishing * (0x6ea8837cd53b51429480da6ff98e69efdd33bf14161f9d1b57c74a1a632861c * rho + zeta)
            mstore(QUOTIENT_SCALAR, sub(r, mload(T4)))
            // opening_scalar = (0x6ea8837cd53b51429480da6ff98e69efdd33bf14161f9d1b57c74a1a632861c * rho + zeta) * (rho - zeta)
            mstore(OPENING_SCALAR, mulmod(mload(T7), mload(T3), r))
            mstore(T13, add(mload(CELL_VALUE), mulmod(mulmod(mload(RHO_BOTTOM), mulmod(mload(T7), add(mload(CELL_VALUE), sub(r, mload(CELL_NEXT_VALUE))), r), r), 0x65a9c9b19234a62986681b7629257a052f72ca09faff2d4c3e2663f1db1e6ac2, r)))
            mstore(T14, add(mulmod(mload(CONSTANT_SUM), 0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000, r), mulmod(mload(DELTA), addmod(add(mload(BETA), mload(TABLE_VALUE)), sub(r, mulmod(mload(TABLE_HEAD), mulmod(mload(T12), mload(CELL_VALUE), r), r)), r), r)))
            mstore(T15, add(mulmod(mload(DELTA), add(mulmod(mload(T14), mload(DELTA), r), sub(r, mulmod(mload(LIMB_VALUE), add(mload(LANE_HEAD), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), r))), r), mulmod(mload(LIMB_TOP), add(sub(r, mload(CELL_NEXT_VALUE)), mulmod(mload(CELL_VALUE), add(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfefffffffeffff8001, mulmod(mload(LIMB_VALUE), 256, r)), r)), r)))
            mstore(T16, mulmod(mload(DELTA), add(mulmod(mload(T15), mload(DELTA), r), sub(r, mulmod(mload(LIMB_TOP), mulmod(mload(CELL_VALUE), add(mload(CELL_VALUE), 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000), r), r))), r))
            mstore(T17, add(sub(r, mload(LINEARISED_NEXT_VALUE)), addmod(mulmod(mload(LANE_HEAD), add(mload(LIMB_VALUE), mulmod(mload(CELL_NEXT_VALUE), 256, r)), r), add(mload(T16), mulmod(mload(NU), add(mload(LIMB_VALUE), mulmod(mload(NU), mload(TABLE_VALUE), r)), r)), r)))
            mstore(GENERATOR_SCALAR, add(sub(r, mulmod(mload(T3), mload(T17), r)), mulmod(mload(NU), mulmod(mload(T6), addmod(sub(0xe7db4ea6533afa906673b0101343b00aa77b4805fffcb7fdfffffffe00000002, mload(T13)), mulmod(mload(NU), mulmod(mload(T7), mload(LINEARISED_NEXT_VALUE), r), r), r), r), r)))
            mstore(FINAL_SCALAR, mload(ZETA))
        }
    }

    /// The scalar of each row: that of its layer's combined rows, times the row's power of alpha.
    function _weighRows() private pure {
        // a row that starts with the pack of equation e: scalar alpha^e, for layer t >= 1 with the slots of layer t - 1
        assembly {
            let r := mload(ORDER)
            let to := add(ROW_POINTS, 128)
            let scalar := mload(INPUT_ROWS)
            let end := add(RECORDS, mul(RECORD_BYTES, mload(LAYERS)))
            let reads := 0
            for { let record := RECORDS } lt(record, end) { record := add(record, RECORD_BYTES) } {
                let at := add(ALPHAS, mul(32, mload(add(record, PACK_EXPONENT))))
                let step := mul(32, mload(add(record, ROW_EXPONENTS)))
                for { let i := mload(add(record, ROW_COUNT)) } i { i := sub(i, 1) } {
                    mstore(to, mulmod(scalar, mload(at), r))
                    to := add(to, STRIDE)
                    at := add(at, step)
                }
                scalar := mulmod(mload(add(READS_TOPS, reads)), mload(add(READS_BOTTOMS, reads)), r)
                scalar := mulmod(scalar, mload(READS_FACTOR), r)
                reads := add(reads, 32)
                let other := mulmod(mload(add(READS_TOPS, reads)), mload(add(READS_BOTTOMS, reads)), r)
                scalar := addmod(scalar, mulmod(other, mload(READS_NEXT_FACTOR), r), r)
                scalar := addmod(mulmod(scalar, mload(add(record, SLOTS)), r), mload(BIAS_PART), r)
                reads := add(reads, 32)
            }
        }
    }

    /// sum of scalar * point into SUM. The precompile (EIP-2537) refuses points off the curve or outside the subgroup.
    function _multiply() private view returns (bool done) {
        // SUM = sum_i scalar_i point_i; done = the call succeeds and returns one point
        assembly {
            let points := add(POINTS_BEFORE_ROWS, mload(ROWS))
            done := staticcall(mul(MSM_POINT_GAS, points), 0x0c, MSM, mul(points, STRIDE), SUM, 128)
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
