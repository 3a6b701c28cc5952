// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IVerifier} from "./IVerifier.sol";

/// Example of a contract that acts on a proven prediction exactly once: a customer pays a provider for the class of an image.
///
/// A proof is bound to model, image and digit, but to no sender: anyone who sees it can send it again. So this contract keeps its
/// own record. A job's id is made of the customer and the customer's nonce, it names the one provider who may answer, and it is
/// settled once. Proof bytes are no part of any record: for one claim there are many valid proofs.
contract PaidPrediction {
    struct Job {
        bytes32 modelId;
        bytes32 imageHash;
        address customer;
        address provider;
        uint256 price;
        uint256 deadline;
    }

    event Posted(bytes32 indexed jobId, address indexed customer, address indexed provider, bytes32 modelId, bytes32 imageHash);
    event Answered(bytes32 indexed jobId, uint256 digit);
    event Cancelled(bytes32 indexed jobId);

    error NoSuchJob(bytes32 jobId);
    error AlreadyAnswered(bytes32 jobId);
    error NotTheProvider(address sender);
    error NotTheCustomer(address sender);
    error WrongImage(bytes32 imageHash);
    error TooEarly(uint256 deadline);
    error PaymentFailed();

    IVerifier public immutable verifier;
    mapping(address customer => uint256) public nonces;
    mapping(bytes32 jobId => Job) public jobs;
    /// 1 + the proven digit of an answered job, 0 before.
    mapping(bytes32 jobId => uint256) public answers;

    constructor(IVerifier verifier_) {
        verifier = verifier_;
    }

    /// Pays in advance for the class that `modelId` gives the image with this keccak256 hash; `provider` may answer.
    function post(bytes32 modelId, bytes32 imageHash, address provider, uint256 deadline) external payable returns (bytes32 jobId) {
        jobId = keccak256(abi.encode(msg.sender, nonces[msg.sender]++));
        jobs[jobId] = Job(modelId, imageHash, msg.sender, provider, msg.value, deadline);
        emit Posted(jobId, msg.sender, provider, modelId, imageHash);
    }

    /// Answers a job with a proof and takes its price.
    function answer(bytes32 jobId, bytes calldata image, uint256 digit, bytes calldata proof) external {
        Job memory job = _open(jobId);
        if (msg.sender != job.provider) revert NotTheProvider(msg.sender);
        if (keccak256(image) != job.imageHash) revert WrongImage(keccak256(image));
        answers[jobId] = 1 + digit;
        delete jobs[jobId];
        verifier.verifyOrRevert(job.modelId, image, digit, proof);
        emit Answered(jobId, digit);
        _pay(job.provider, job.price);
    }

    /// Gives the customer of an unanswered job the price back, after its deadline.
    function cancel(bytes32 jobId) external {
        Job memory job = _open(jobId);
        if (msg.sender != job.customer) revert NotTheCustomer(msg.sender);
        if (block.timestamp <= job.deadline) revert TooEarly(job.deadline);
        delete jobs[jobId];
        emit Cancelled(jobId);
        _pay(job.customer, job.price);
    }

    function _open(bytes32 jobId) private view returns (Job memory job) {
        if (answers[jobId] != 0) revert AlreadyAnswered(jobId);
        job = jobs[jobId];
        if (job.customer == address(0)) revert NoSuchJob(jobId);
    }

    function _pay(address to, uint256 amount) private {
        (bool paid,) = to.call{value: amount}("");
        if (!paid) revert PaymentFailed();
    }
}
