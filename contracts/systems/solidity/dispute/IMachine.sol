// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Why a step has no result, or was not shown. Who calls a machine passes them on.
interface IMachineErrors {
    error StepOutside(uint256 t, uint256 steps);
    error WrongState(bytes32 got, bytes32 expected);
    error WrongPath(uint256 operand, uint256 length, uint256 depth);
    error WrongRoot(uint256 operand, bytes32 got, bytes32 expected);
    error AddressOutside(uint256 operand, int256 place, uint256 size);
    error ValueOutside(int256 value, uint256 width);
    error UnknownOperation(uint256 operation);
    error NoTarget(uint256 nest);
}

/// A deterministic machine that can run one step on what is shown of its state, a hash.
interface IMachine is IMachineErrors {
    /// What is shown of a state: the roots of its three regions, and the words that hold the cells a, b and c.
    struct Step {
        bytes32[3] roots;
        bytes32 a;
        bytes32 b;
        bytes32 c;
    }

    /// The state after step `t` of `program` from the state `pre`; `a`, `b`, `c` are the siblings of the three words. Reverts when what
    /// is shown is not in `pre`, or when the step has no result.
    function step(
        address program,
        bytes32 seed,
        uint256 t,
        bytes32 pre,
        Step calldata shown,
        bytes32[] calldata a,
        bytes32[] calldata b,
        bytes32[] calldata c
    ) external view returns (bytes32 post);

    /// How many steps `program` has.
    function steps(address program) external view returns (uint256);
}
