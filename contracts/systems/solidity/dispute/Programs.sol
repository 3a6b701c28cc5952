// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Programs of the multiply-add machine as they lie in a contract's code: STOP, two words of header, four for each nest
/// (program.py says what every field means).
library Programs {
    error NoProgram(address program);

    /// Header bytes: version 1, prologue 1, body 1, depths 3, repeats 4, samples 4, batch 4, prologueSteps 6, bodySteps 6, spare 2 |
    /// inputs 4, outputs 4, outputWidth 1, spare 23.
    struct Header {
        uint256 first;
        uint256 second;
    }

    uint256 private constant VERSION = 1;

    /// The code behind its STOP byte. Reverts when there is none, or none of this version.
    function read(address program) internal view returns (bytes memory code) {
        uint256 size = program.code.length;
        if (size < 1 + 64 + 128) revert NoProgram(program);
        code = new bytes(size - 1);
        bytes1 opening;
        // Plain equivalent: opening = program.code[0]; code = program.code[1:];
        assembly ("memory-safe") {
            extcodecopy(program, 0, 0, 1)
            opening := and(mload(0), shl(248, 0xff))
            extcodecopy(program, add(code, 32), 1, sub(size, 1))
        }
        Header memory h = header(code);
        bool right = h.first >> 248 == VERSION && code.length == 64 + 128 * (prologue(h) + body(h));
        if (opening != 0 || !right) revert NoProgram(program);
    }

    function header(bytes memory code) internal pure returns (Header memory) {
        return Header(word(code, 0), word(code, 1));
    }

    function prologue(Header memory h) internal pure returns (uint256) {
        return uint8(h.first >> 240);
    }

    function body(Header memory h) internal pure returns (uint256) {
        return uint8(h.first >> 232);
    }

    function depth(Header memory h, uint256 region) internal pure returns (uint256) {
        return uint8(h.first >> (224 - 8 * region));
    }

    function repeats(Header memory h) internal pure returns (uint256) {
        return uint32(h.first >> 176);
    }

    function samples(Header memory h) internal pure returns (uint256) {
        return uint32(h.first >> 144);
    }

    function batch(Header memory h) internal pure returns (uint256) {
        return uint32(h.first >> 112);
    }

    function prologueSteps(Header memory h) internal pure returns (uint256) {
        return uint48(h.first >> 64);
    }

    function bodySteps(Header memory h) internal pure returns (uint256) {
        return uint48(h.first >> 16);
    }

    function inputs(Header memory h) internal pure returns (uint256) {
        return uint32(h.second >> 224);
    }

    function outputs(Header memory h) internal pure returns (uint256) {
        return uint32(h.second >> 192);
    }

    function outputWidth(Header memory h) internal pure returns (uint256) {
        return uint8(h.second >> 184);
    }

    function steps(Header memory h) internal pure returns (uint256) {
        return prologueSteps(h) + repeats(h) * bodySteps(h);
    }

    /// Word number `index` of the code; the caller keeps to its length.
    function word(bytes memory code, uint256 index) internal pure returns (uint256 value) {
        // Plain equivalent: value = uint256(bytes32(code[32 * index:]));
        assembly ("memory-safe") {
            value := mload(add(add(code, 32), shl(5, index)))
        }
    }
}
