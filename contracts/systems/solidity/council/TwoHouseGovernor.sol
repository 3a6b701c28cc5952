// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorTimelockControl} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockControl.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {Vault} from "../blocks/Vault.sol";
import {Gate, Update} from "./Gate.sol";

/// Changes a model only if two houses agree: OpenZeppelin's Governor with a count of its own. A proposal passes with a quorum and a
/// majority in each house.
///
/// States are OpenZeppelin's: Pending, Active, Defeated or Succeeded, Queued, Executed, Canceled.
/// Invariants: every proposal is one call of `adopt`, so the timelock never does anything else, and no parameter ever changes; the
/// timelock's only proposer is this contract, anyone executes, nobody is its admin but itself; an account votes once, in one house,
/// with the units it had when voting began. A proposal's bond is held until its vote is over or it is cancelled; then it goes back, or
/// is burned if neither house had a quorum and a majority for it.
contract TwoHouseGovernor is Governor, GovernorSettings, GovernorTimelockControl, GovernorPreventLateQuorum, Vault {
    event BondReleased(uint256 indexed proposalId, bool burned);

    error OnlyUpdates();
    error NoVotes(address account, uint256 timepoint);
    error InBothHouses(address account);
    error NoDelta(address delta, bytes32 found, bytes32 expected);
    error WrongDeadline(uint256 until, uint256 least, uint256 most);
    error VoteNotOver(uint256 proposalId, ProposalState current);
    error NothingHeld(uint256 proposalId);
    error WrongQuorum(uint256 percent);
    /// What the timelock says of an action that is not ready.
    error TimelockUnexpectedOperationState(bytes32 operationId, bytes32 expectedStates);

    /// Seconds, but for the quorum, percent of a house's units, and the bond, wei.
    struct Terms {
        uint48 delay;
        uint32 period;
        uint48 extension;
        uint48 timelock;
        uint48 grace;
        uint8 quorumPercent;
        uint96 bond;
    }

    struct Tally {
        uint256[2] yes;
        uint256[2] no;
        mapping(address account => bool) voted;
    }

    IVotes public immutable firstHouse;
    IVotes public immutable secondHouse;
    uint256 public immutable quorumPercent;
    uint256 public immutable bond;
    uint256 public immutable grace;
    mapping(uint256 proposalId => Tally) private _tallies;

    constructor(string memory name_, IVotes first, IVotes second, Terms memory terms)
        Governor(name_)
        GovernorSettings(terms.delay, terms.period, 0)
        GovernorTimelockControl(new TimelockController(terms.timelock, _one(address(this)), _one(address(0)), address(0)))
        GovernorPreventLateQuorum(terms.extension)
    {
        if (terms.quorumPercent == 0 || terms.quorumPercent > 100) revert WrongQuorum(terms.quorumPercent);
        (firstHouse, secondHouse, quorumPercent, bond, grace) = (first, second, terms.quorumPercent, terms.bond, terms.grace);
    }

    /// Proposes that the change in `delta`, which is on the chain already, becomes the version after `parent` of the gate's model.
    /// The proposer's address is in the description, so nobody can take the proposal's number and cancel it. `until` is the last second
    /// at which it can be adopted.
    function proposeUpdate(Gate gate, Update calldata u, string calldata why) external payable returns (uint256 proposalId) {
        _exactly(bond);
        if (u.delta.code.length == 0 || u.delta.codehash != u.deltaHash) revert NoDelta(u.delta, u.delta.codehash, u.deltaHash);
        uint256 least = earliest();
        if (u.until < least || u.until > least + grace) revert WrongDeadline(u.until, least, least + grace);
        (address[] memory targets, uint256[] memory values, bytes[] memory calls) = (_one(address(gate)), new uint256[](1), new bytes[](1));
        calls[0] = abi.encodeCall(Gate.adopt, (u));
        proposalId = _propose(targets, values, calls, string.concat(why, "#proposer=", Strings.toHexString(msg.sender)), msg.sender);
        _hold(bytes32(proposalId));
    }

    /// When a change that is proposed now could be adopted, at the latest that the rules allow.
    function earliest() public view returns (uint256) {
        uint256 vote = votingDelay() + votingPeriod() + lateQuorumVoteExtension();
        return block.timestamp + vote + TimelockController(payable(timelock())).getMinDelay();
    }

    /// Proposals are made by `proposeUpdate` alone.
    function propose(address[] memory, uint256[] memory, bytes[] memory, string memory) public pure override returns (uint256) {
        revert OnlyUpdates();
    }

    /// Gives the bond of a proposal back when its vote is over; burns it when both houses let it fall.
    function releaseBond(uint256 proposalId) external {
        ProposalState now_ = state(proposalId);
        if (now_ == ProposalState.Pending || now_ == ProposalState.Active) revert VoteNotOver(proposalId, now_);
        bytes32 purpose = bytes32(proposalId);
        uint256 amount = held[purpose];
        if (amount == 0) revert NothingHeld(proposalId);
        bool burned = now_ == ProposalState.Defeated && !_passed(proposalId, 0) && !_passed(proposalId, 1);
        if (burned) _burn(purpose, amount);
        else _free(purpose, proposalProposer(proposalId), amount);
        emit BondReleased(proposalId, burned);
    }

    /// Votes for and against in house 0 or 1, and how many of both it takes.
    function tally(uint256 proposalId, uint256 house) public view returns (uint256 yes, uint256 no, uint256 needed) {
        uint256 supply = _house(house).getPastTotalSupply(proposalSnapshot(proposalId));
        return (_tallies[proposalId].yes[house], _tallies[proposalId].no[house], _ceil(supply * quorumPercent));
    }

    function hasVoted(uint256 proposalId, address account) public view override returns (bool) {
        return _tallies[proposalId].voted[account];
    }

    /// What both houses need together; each needs its own share.
    function quorum(uint256 timepoint) public view override returns (uint256) {
        return _ceil(firstHouse.getPastTotalSupply(timepoint) * quorumPercent) + _ceil(secondHouse.getPastTotalSupply(timepoint) * quorumPercent);
    }

    function clock() public view override returns (uint48) {
        return Time.timestamp();
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    // solhint-disable-next-line func-name-mixedcase
    function COUNTING_MODE() public pure override returns (string memory) {
        return "support=against,for&quorum=for,against&houses=2";
    }

    function _countVote(uint256 proposalId, address account, uint8 support, uint256, bytes memory) internal override returns (uint256 weight) {
        Tally storage t = _tallies[proposalId];
        if (t.voted[account]) revert GovernorAlreadyCastVote(account);
        if (support > 1) revert GovernorInvalidVoteType();
        uint256 snapshot = proposalSnapshot(proposalId);
        uint256 first = _votesOf(firstHouse, account, snapshot);
        uint256 second = _votesOf(secondHouse, account, snapshot);
        if (first != 0 && second != 0) revert InBothHouses(account);
        weight = first + second;
        if (weight == 0) revert NoVotes(account, snapshot);
        t.voted[account] = true;
        uint256 house = first != 0 ? 0 : 1;
        if (support == 1) t.yes[house] += weight;
        else t.no[house] += weight;
    }

    function _votesOf(IVotes house, address account, uint256 timepoint) private view returns (uint256) {
        return house.getPastVotes(account, timepoint);
    }

    function _quorumReached(uint256 proposalId) internal view override returns (bool) {
        return _counted(proposalId, 0) && _counted(proposalId, 1);
    }

    function _voteSucceeded(uint256 proposalId) internal view override returns (bool) {
        return _majority(proposalId, 0) && _majority(proposalId, 1);
    }

    function _passed(uint256 proposalId, uint256 house) private view returns (bool) {
        return _counted(proposalId, house) && _majority(proposalId, house);
    }

    function _counted(uint256 proposalId, uint256 house) private view returns (bool) {
        (uint256 yes, uint256 no, uint256 needed) = tally(proposalId, house);
        return yes + no >= needed && yes + no != 0;
    }

    function _majority(uint256 proposalId, uint256 house) private view returns (bool) {
        return _tallies[proposalId].yes[house] > _tallies[proposalId].no[house];
    }

    function _getVotes(address account, uint256 timepoint, bytes memory) internal view override returns (uint256) {
        return firstHouse.getPastVotes(account, timepoint) + secondHouse.getPastVotes(account, timepoint);
    }

    function _house(uint256 number) private view returns (IVotes) {
        return number == 0 ? firstHouse : secondHouse;
    }

    function _ceil(uint256 percents) private pure returns (uint256) {
        return (percents + 99) / 100;
    }

    function _one(address account) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = account;
    }

    // What several parents define --------------------------------------------------------------------------------------------------

    function state(uint256 proposalId) public view override(Governor, GovernorTimelockControl) returns (ProposalState) {
        return super.state(proposalId);
    }

    function votingDelay() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.votingDelay();
    }

    function votingPeriod() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.votingPeriod();
    }

    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }

    function proposalNeedsQueuing(uint256 proposalId) public view override(Governor, GovernorTimelockControl) returns (bool) {
        return super.proposalNeedsQueuing(proposalId);
    }

    function proposalDeadline(uint256 proposalId) public view override(Governor, GovernorPreventLateQuorum) returns (uint256) {
        return super.proposalDeadline(proposalId);
    }

    function _tallyUpdated(uint256 proposalId) internal override(Governor, GovernorPreventLateQuorum) {
        super._tallyUpdated(proposalId);
    }

    function _queueOperations(uint256 id, address[] memory targets, uint256[] memory values, bytes[] memory calls, bytes32 description)
        internal
        override(Governor, GovernorTimelockControl)
        returns (uint48)
    {
        return super._queueOperations(id, targets, values, calls, description);
    }

    function _executeOperations(uint256 id, address[] memory targets, uint256[] memory values, bytes[] memory calls, bytes32 description)
        internal
        override(Governor, GovernorTimelockControl)
    {
        _exactly(0); // ether that came along would stay in the timelock
        super._executeOperations(id, targets, values, calls, description);
    }

    function _cancel(address[] memory targets, uint256[] memory values, bytes[] memory calls, bytes32 description)
        internal
        override(Governor, GovernorTimelockControl)
        returns (uint256)
    {
        return super._cancel(targets, values, calls, description);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }
}
