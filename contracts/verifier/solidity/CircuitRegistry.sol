// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// Circuits of every compact shape, under the digests of their canonical bytes.
///
/// Whoever registers a circuit gives its bytes alone. They are parsed here as strictly as the Python parser does, and every
/// position, exponent and root of unity that a verification needs is derived here, so that nobody can choose them: a table that a
/// caller supplied could read free cells. What is derived lies in a data contract (first byte STOP) whose address this contract
/// keeps under the digest; an address that this contract itself created with code can hold no other code, ever.
///
///     lane = 4 rows, pack = 64 rows: 10 lanes and 6 idle ones, group = the packs of one layer at `slots` (a power of two) of the
///     n / 64 places; docs/protocol.md, section 3
///
/// Registration gives nobody any right over a circuit.
abstract contract CircuitRegistry {
    event CircuitRegistered(bytes32 indexed circuitDigest, address indexed registrar);

    error CircuitAlreadyRegistered(bytes32 circuitDigest);
    error UnknownCircuit(bytes32 circuitDigest);
    error WrongCircuitLength(uint256 found);
    error WrongCircuitMagic(bytes5 found);
    error WrongDomain(uint256 found);
    error WrongLayerCount(uint256 found);
    error WrongWidth(uint256 index, uint256 found);
    error WrongLanes(uint256 layer, uint256 found);
    error UnknownGate(uint256 layer, uint256 tag);
    error TooManyInputs(uint256 found);
    error TooManyPacks(uint256 needed, uint256 available);
    error CircuitNotStored();

    /// What the bytes say. The last entry of `widths` is the number of classes.
    struct Shape {
        uint256 domain;
        uint256[] widths;
        uint256[] lanes;
    }

    /// The packs of one layer, or of the argmax differences: pack k lies at place residue + k * stride.
    struct Group {
        uint256 packs;
        uint256 slots;
        uint256 residue;
        uint256 stride;
    }

    bytes private constant CIRCUIT_LABEL = "zkpredict circuit v1";
    bytes private constant MODEL_LABEL = "zkpredict model v1";
    bytes private constant PROOF_LABEL = "zkpredict proof v1";
    bytes5 private constant MAGIC = "zkpC\x01";
    uint256 private constant HEADER_BYTES = 8;
    uint256 private constant MAX_LAYERS = 16;
    uint256 private constant MAX_WIDTH = 65_536;
    /// The highest degree the ceremony can commit to.
    uint256 private constant MAX_DEGREE = 4095;
    uint256 private constant PACK_ROWS = 64;
    uint256 private constant PACK_LANES = 10;
    uint256 private constant LANE_BITS = 24;
    uint256 private constant WIDE = 2;
    uint256 private constant PACKS_PER_VALUE_ROW = 2;
    /// Rows in a pack: where its value is read, where the first wide value is, and where the first activation lies.
    uint256 private constant READOUT_ROW = 40;
    uint256 private constant VALUE_ROW = 8;
    uint256 private constant ACTIVATION_ROW = 2;

    uint256 private constant ORDER_OF_FIELD = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    /// 1/w for w = 7^((r - 1)/2048), a root of unity of order ROOT_ORDER; 1/w^2 belongs to 1024 rows.
    uint256 private constant INVERSE_ROOT = 0x55612c879036d62fae65b5bdd485b39aa954d02ff707ac89dc982deab639eb06;
    uint256 private constant ROOT_ORDER = 2048;

    // What is stored, in this order, as words of memory where a verification has it: w is the n-th root of unity of the n rows.
    uint256 internal constant DERIVED = 0x80;
    uint256 internal constant DOMAIN = 0x80;
    uint256 internal constant INVERSE_DOMAIN = 0xa0;
    uint256 internal constant INPUTS = 0xc0;
    uint256 internal constant CLASSES = 0xe0;
    uint256 internal constant LAYERS = 0x100;
    /// Committed rows of a model, and how many packs share one of the first layer's.
    uint256 internal constant ROWS = 0x120;
    uint256 internal constant INPUT_PACKS = 0x140;
    /// The exponent of alpha of the first class equation, and the number of all exponents.
    uint256 internal constant CLASS_EXPONENT = 0x160;
    uint256 internal constant EXPONENTS = 0x180;
    uint256 internal constant MODEL_CONTEXT = 0x1a0;
    uint256 internal constant PROOF_CONTEXT = 0x1c0;
    /// 1/w^row for the row behind the first logit and behind the first difference, and the factors from a value to the next one in
    /// its pack, from a pack to the next.
    uint256 internal constant LOGIT_POLE = 0x1e0;
    uint256 internal constant DIFFERENCE_POLE = 0x200;
    uint256 internal constant VALUE_PITCH = 0x220;
    uint256 internal constant PACK_PITCH = 0x240;
    uint256 internal constant HEAD_WORDS = 15;

    // Then a record for each layer, from RECORDS on: offsets in it.
    uint256 internal constant RECORDS = 0x260;
    uint256 internal constant RECORD_BYTES = 0x1e0;
    uint256 internal constant RECORD_WORDS = 15;
    /// The exponents of the first pack and of the first unused slot; packs, and packs with unused slots that are pinned to zero.
    uint256 internal constant PACK_EXPONENT = 0x00;
    uint256 internal constant PINNED_EXPONENT = 0x20;
    uint256 internal constant PACKS = 0x40;
    uint256 internal constant POLES = 0x60;
    /// 1/w^row for the row where the first pack's value is read, and the factor from a slot to the next.
    uint256 internal constant POLE = 0x80;
    uint256 internal constant PITCH = 0xa0;
    /// Offset of a full pack and of the last one: 2^(bits - 1) for each value in use.
    uint256 internal constant FULL_OFFSET = 0xc0;
    uint256 internal constant LAST_OFFSET = 0xe0;
    /// Committed rows, and from the exponent of one to the next.
    uint256 internal constant ROW_COUNT = 0x100;
    uint256 internal constant ROW_EXPONENTS = 0x120;
    /// With y = rho^slots, that is SLOTS_POWER behind rho among its powers: 1/(w^slots)^row for the first activation and for the row
    /// before it, and the factor from a lane to the next.
    uint256 internal constant SLOTS = 0x140;
    uint256 internal constant SLOTS_POWER = 0x160;
    uint256 internal constant ACTIVATION_POLE = 0x180;
    uint256 internal constant BEFORE_POLE = 0x1a0;
    uint256 internal constant LANE_PITCH = 0x1c0;

    /// Where what was derived of a circuit lies; zero for an unknown one.
    mapping(bytes32 circuitDigest => address) public circuitData;

    /// Derives and stores what verifications need of a circuit, from its canonical bytes, and gives its digest.
    ///
    ///     "zkpC" 01 | n u16 | layer count u8 | widths u32 each, from input to output | lanes u8 each: little-endian
    function registerCircuit(bytes calldata circuit) external returns (bytes32 circuitDigest) {
        circuitDigest = keccak256(bytes.concat(CIRCUIT_LABEL, circuit));
        if (circuitData[circuitDigest] != address(0)) revert CircuitAlreadyRegistered(circuitDigest);
        Shape memory shape = _parse(circuit);
        circuitData[circuitDigest] = _storeDerived(_derive(shape, circuitDigest));
        emit CircuitRegistered(circuitDigest, msg.sender);
    }

    /// Committed rows of a model of a circuit, and what its id hashes before them.
    function _rowsOf(bytes32 circuitDigest) internal view returns (uint256 count, bytes32 context) {
        address data = circuitData[circuitDigest];
        if (data == address(0)) revert UnknownCircuit(circuitDigest);
        // (count, context) = the words ROWS and MODEL_CONTEXT of what was derived
        assembly ("memory-safe") {
            extcodecopy(data, 0x00, add(1, sub(ROWS, DERIVED)), 32)
            extcodecopy(data, 0x20, add(1, sub(MODEL_CONTEXT, DERIVED)), 32)
            count := mload(0x00)
            context := mload(0x20)
        }
    }

    function _parse(bytes calldata circuit) private pure returns (Shape memory shape) {
        if (circuit.length < HEADER_BYTES) revert WrongCircuitLength(circuit.length);
        if (bytes5(circuit) != MAGIC) revert WrongCircuitMagic(bytes5(circuit));
        uint256 layers = uint8(circuit[7]);
        if (layers == 0 || layers > MAX_LAYERS) revert WrongLayerCount(layers);
        if (circuit.length != HEADER_BYTES + 4 * (layers + 1) + layers) revert WrongCircuitLength(circuit.length);
        shape.domain = _littleEndian(circuit, 5, 2);
        if (shape.domain != 1024 && shape.domain != 2048) revert WrongDomain(shape.domain);
        shape.widths = new uint256[](layers + 1);
        for (uint256 i = 0; i <= layers; ++i) {
            uint256 width = _littleEndian(circuit, HEADER_BYTES + 4 * i, 4);
            if (width == 0 || width > MAX_WIDTH) revert WrongWidth(i, width);
            shape.widths[i] = width;
        }
        shape.lanes = new uint256[](layers);
        for (uint256 i = 0; i < layers; ++i) {
            uint256 found = uint8(circuit[HEADER_BYTES + 4 * (layers + 1) + i]);
            if (found >> 4 != 0) revert UnknownGate(i, found >> 4);
            if (found != 1 && found != WIDE || i + 1 == layers && found != WIDE) revert WrongLanes(i, found);
            shape.lanes[i] = found;
        }
        if (shape.widths[0] + 1 > shape.domain - 1) revert TooManyInputs(shape.widths[0]);
    }

    function _littleEndian(bytes calldata data, uint256 start, uint256 size) private pure returns (uint256 value) {
        for (uint256 i = 0; i < size; ++i) {
            value |= uint256(uint8(data[start + i])) << (8 * i);
        }
    }

    /// The groups of all layers, then that of the differences. Largest first, each takes the next free residue class of places
    /// modulo its stride; in bit-reversed order these are disjoint.
    function _place(Shape memory shape) private pure returns (Group[] memory groups) {
        uint256 layers = shape.lanes.length;
        uint256 total = shape.domain / PACK_ROWS;
        groups = new Group[](layers + 1);
        uint256 needed = 0;
        for (uint256 i = 0; i <= layers; ++i) {
            uint256 layer = i < layers ? i : layers - 1;
            uint256 packs = _quotientUp(shape.widths[layer + 1], PACK_LANES / shape.lanes[layer]);
            // a hidden layer owns so many slots that the quotient's degree stays below MAX_DEGREE
            uint256 least = layer + 1 < layers && 2 * shape.domain + 2 > MAX_DEGREE ? 2 * shape.domain + 2 - MAX_DEGREE : 1;
            groups[i].packs = packs;
            groups[i].slots = _powerOfTwo(packs > least ? packs : least);
            needed += groups[i].slots;
        }
        if (needed > total) revert TooManyPacks(needed, total);
        uint256 taken = 0;
        for (uint256 slots = total; slots != 0; slots /= 2) {
            for (uint256 i = 0; i <= layers; ++i) {
                if (groups[i].slots != slots) continue;
                groups[i].stride = total / slots;
                groups[i].residue = _reverseBits(taken / slots, total / slots);
                taken += slots;
            }
        }
    }

    /// The words that DOMAIN and the constants after it name, then a record for each layer.
    function _derive(Shape memory shape, bytes32 circuitDigest) private pure returns (uint256[] memory words) {
        Group[] memory groups = _place(shape);
        uint256 layers = shape.lanes.length;
        words = new uint256[](HEAD_WORDS + layers * RECORD_WORDS);
        uint256 inputPacks = (shape.domain - 1) / (shape.widths[0] + 1);
        if (inputPacks > groups[0].packs) inputPacks = groups[0].packs;
        _set(words, 0, DOMAIN, shape.domain);
        // (r - 1)/n * n = -1 modulo r
        _set(words, 0, INVERSE_DOMAIN, ORDER_OF_FIELD - (ORDER_OF_FIELD - 1) / shape.domain);
        _set(words, 0, INPUTS, shape.widths[0]);
        _set(words, 0, CLASSES, shape.widths[layers]);
        _set(words, 0, LAYERS, layers);
        _set(words, 0, INPUT_PACKS, inputPacks);
        _set(words, 0, MODEL_CONTEXT, uint256(keccak256(bytes.concat(MODEL_LABEL, circuitDigest))));
        _set(words, 0, PROOF_CONTEXT, uint256(keccak256(bytes.concat(PROOF_LABEL, circuitDigest))));
        (uint256 rows, uint256 exponent) = _derivePacks(words, shape, groups, inputPacks);
        _set(words, 0, ROWS, rows);
        _set(words, 0, CLASS_EXPONENT, exponent);
        exponent += shape.widths[layers];
        for (uint256 i = 0; i + 1 < layers; ++i) {
            _set(words, _record(i), PINNED_EXPONENT, exponent);
            exponent += groups[i].slots - groups[i].packs;
        }
        _set(words, 0, EXPONENTS, exponent);
        uint256 domain = shape.domain;
        _set(words, 0, LOGIT_POLE, _root(domain, groups[layers - 1].residue * PACK_ROWS + VALUE_ROW));
        _set(words, 0, DIFFERENCE_POLE, _root(domain, groups[layers].residue * PACK_ROWS + VALUE_ROW));
        _set(words, 0, VALUE_PITCH, _root(domain, VALUE_ROW));
        _set(words, 0, PACK_PITCH, _root(domain, groups[layers].stride * PACK_ROWS));
    }

    /// The records; counts the rows of all layers, and the exponents of alpha that they take: each row as many as it can hold packs.
    function _derivePacks(uint256[] memory words, Shape memory shape, Group[] memory groups, uint256 inputPacks)
        private
        pure
        returns (uint256 rows, uint256 exponent)
    {
        uint256 layers = shape.lanes.length;
        for (uint256 i = 0; i < layers; ++i) {
            Group memory group = groups[i];
            uint256 record = _record(i);
            uint256 perRow = i == 0 ? inputPacks : PACKS_PER_VALUE_ROW;
            uint256 count = _quotientUp(group.packs, perRow);
            _set(words, record, PACK_EXPONENT, exponent);
            _set(words, record, PACKS, group.packs);
            _set(words, record, POLES, i + 1 < layers ? group.slots : group.packs);
            _set(words, record, ROW_COUNT, count);
            _set(words, record, ROW_EXPONENTS, perRow);
            rows += count;
            exponent += count * perRow;
            _deriveOffsets(words, record, shape.lanes[i], shape.widths[i + 1]);
            _deriveRoots(words, record, shape.domain, group);
        }
    }

    function _deriveOffsets(uint256[] memory words, uint256 record, uint256 lanes, uint256 outputs) private pure {
        uint256 perPack = PACK_LANES / lanes;
        _set(words, record, FULL_OFFSET, _offset(lanes, perPack));
        _set(words, record, LAST_OFFSET, _offset(lanes, (outputs - 1) % perPack + 1));
    }

    function _deriveRoots(uint256[] memory words, uint256 record, uint256 domain, Group memory group) private pure {
        uint256 first = group.residue * PACK_ROWS;
        _set(words, record, POLE, _root(domain, first + READOUT_ROW));
        _set(words, record, PITCH, _root(domain, group.stride * PACK_ROWS));
        uint256 power = 0;
        while (1 << power < group.slots) ++power;
        _set(words, record, SLOTS, group.slots);
        _set(words, record, SLOTS_POWER, 32 * power);
        _set(words, record, ACTIVATION_POLE, _root(domain, group.slots * (first + ACTIVATION_ROW)));
        _set(words, record, BEFORE_POLE, _root(domain, group.slots * (first + ACTIVATION_ROW - 1)));
        _set(words, record, LANE_PITCH, _root(domain, group.slots * 4));
    }

    /// Index in the words of a layer's record.
    function _record(uint256 layer) private pure returns (uint256) {
        return HEAD_WORDS + layer * RECORD_WORDS;
    }

    /// words[start + place as an index] = value; a place in the head counts from DERIVED on.
    function _set(uint256[] memory words, uint256 start, uint256 place, uint256 value) private pure {
        words[start + (start == 0 ? place - DERIVED : place) / 32] = value;
    }

    /// 1/w^exponent for the root of unity w of order `domain`.
    function _root(uint256 domain, uint256 exponent) private pure returns (uint256 result) {
        uint256 base = INVERSE_ROOT;
        uint256 left = exponent % domain * (ROOT_ORDER / domain);
        result = 1;
        for (; left != 0; left >>= 1) {
            if (left & 1 == 1) result = mulmod(result, base, ORDER_OF_FIELD);
            base = mulmod(base, base, ORDER_OF_FIELD);
        }
    }

    /// 2^(bits - 1) for each of the first `used` values of a pack, the first at the top of its 240 bits.
    function _offset(uint256 lanes, uint256 used) private pure returns (uint256 sum) {
        uint256 bits = lanes * LANE_BITS;
        for (uint256 i = 1; i <= used; ++i) {
            sum += 1 << (PACK_LANES * LANE_BITS - i * bits + bits - 1);
        }
    }

    function _quotientUp(uint256 value, uint256 divisor) private pure returns (uint256) {
        return (value + divisor - 1) / divisor;
    }

    /// The least power of two that is not below `count`.
    function _powerOfTwo(uint256 count) private pure returns (uint256 result) {
        result = 1;
        while (result < count) result *= 2;
    }

    /// The bits of `value` below the power of two `size`, in reverse order.
    function _reverseBits(uint256 value, uint256 size) private pure returns (uint256 result) {
        for (; size > 1; size /= 2) {
            result = result * 2 + value % 2;
            value /= 2;
        }
    }

    function _storeDerived(uint256[] memory words) private returns (address made) {
        bytes memory data = abi.encodePacked(bytes1(0), words);
        // PUSH2 length, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: returns what follows it as code
        bytes memory creation = bytes.concat(hex"61", bytes2(uint16(data.length)), hex"80600a5f395ff3", data);
        assembly ("memory-safe") {
            made := create(0, add(creation, 0x20), mload(creation))
        }
        if (made == address(0) || made.code.length != data.length) revert CircuitNotStored();
    }
}
