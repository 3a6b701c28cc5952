// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IBatchVerifier} from "./IBatchVerifier.sol";
import {IWideRegistry} from "./IWideRegistry.sol";

/// Everything that the verifier of batches of some wide circuit answers to.
interface IWideBatchVerifier is IBatchVerifier, IWideRegistry {}
