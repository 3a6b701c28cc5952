// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IScoreVerifier} from "./IScoreVerifier.sol";
import {IWideRegistry} from "./IWideRegistry.sol";

/// Everything that the verifier of scores of some wide circuit answers to.
interface IWideScoreVerifier is IScoreVerifier, IWideRegistry {}
