// snarkjs' own calls, one step a process.  node snarkjs_steps.cjs PEER_FOLDER STEP [ARGUMENTS]   prints `inner SECONDS`
const fs = require("fs");
const crypto = require("crypto");
const { execFileSync } = require("child_process");
const { createRequire } = require("module");

const [folder, step, ...rest] = process.argv.slice(2);
const snarkjs = createRequire(`${folder}/package.json`)("snarkjs");

async function timed(work) {
  const start = process.hrtime.bigint();
  const found = await work();
  console.log(`inner ${Number(process.hrtime.bigint() - start) / 1e9}`);
  return found;
}

// The powers of tau that circuit.r1cs needs.
async function powersFile() {
  const info = await snarkjs.r1cs.info("circuit.r1cs");
  const needed = info.nConstraints + info.nPubInputs + info.nOutputs + 1;
  const power = Math.ceil(Math.log2(needed));
  return { power, target: `${folder}/development_${power}.ptau` };
}

const steps = {
  // A development ceremony: one contributor, this process, which could have kept its secret. Made once per size and kept. Where
  // the gnark peer is installed its dealer writes the same file in a fraction of the time.
  async ceremony() {
    const { target, power } = await powersFile();
    const dealer = `${folder}/../gnark/prover`;
    if (!fs.existsSync(target) && fs.existsSync(dealer)) {
      execFileSync(dealer, ["ceremony", String(power), target]);
    } else if (!fs.existsSync(target)) {
      const start = Date.now();
      const curve = await snarkjs.curves.getCurveFromName("bn128");
      await snarkjs.powersOfTau.newAccumulator(curve, power, `${target}.0`);
      await snarkjs.powersOfTau.contribute(`${target}.0`, `${target}.1`, "development", crypto.randomBytes(32).toString("hex"));
      await snarkjs.powersOfTau.preparePhase2(`${target}.1`, `${target}.2`);
      fs.writeFileSync(`${target}.json`, JSON.stringify({ seconds: (Date.now() - start) / 1000 }));
      fs.rmSync(`${target}.0`);
      fs.rmSync(`${target}.1`);
      fs.renameSync(`${target}.2`, target);
    }
    console.log(`inner ${JSON.parse(fs.readFileSync(`${target}.json`)).seconds}`);
  },
  async keys() {
    await snarkjs.zKey.newZKey("circuit.r1cs", (await powersFile()).target, "first.zkey");
    await snarkjs.zKey.contribute("first.zkey", "circuit.zkey", "development", crypto.randomBytes(32).toString("hex"));
    fs.rmSync("first.zkey");
    fs.writeFileSync("vk.json", JSON.stringify(await snarkjs.zKey.exportVerificationKey("circuit.zkey")));
  },
  async witness() {
    const input = JSON.parse(fs.readFileSync("input.json"));
    await timed(() => snarkjs.wtns.calculate(input, "circuit_js/circuit.wasm", "witness.wtns"));
  },
  async prove() {
    const { proof, publicSignals } = await timed(() => snarkjs.groth16.prove("circuit.zkey", "witness.wtns"));
    fs.writeFileSync("proof.json", JSON.stringify(proof));
    fs.writeFileSync("public.json", JSON.stringify(publicSignals));
  },
  async verify(proof = "proof.json", signals = "public.json") {
    const [key, publics, made] = ["vk.json", signals, proof].map((name) => JSON.parse(fs.readFileSync(name)));
    const accepted = await timed(() => snarkjs.groth16.verify(key, publics, made));
    console.log(accepted ? "accepted" : "refused");
    return accepted ? 0 : 1;
  },
  async contract() {
    const template = `${folder}/node_modules/snarkjs/templates/verifier_groth16.sol.ejs`;
    const templates = { groth16: fs.readFileSync(template, "utf8") };
    fs.writeFileSync("verifier.sol", await snarkjs.zKey.exportSolidityVerifier("circuit.zkey", templates));
    const [proof, publics] = ["proof.json", "public.json"].map((name) => JSON.parse(fs.readFileSync(name)));
    fs.writeFileSync("call.json", `[${await snarkjs.groth16.exportSolidityCallData(proof, publics)}]`);
  },
};

steps[step](...rest).then(
  (code) => process.exit(code || 0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
