// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IVerifier} from "./IVerifier.sol";
import {IWideRegistry} from "./IWideRegistry.sol";

/// Everything that the verifier of some wide circuit answers to.
interface IWideVerifier is IVerifier, IWideRegistry {
    error OutputOutOfRange(uint256 index);
    error InputPointAtInfinity(uint256 index);
}
