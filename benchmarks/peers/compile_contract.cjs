// Compiles one Solidity file and prints {name: {bytecode, runtime}}.  node compile_contract.cjs SOLC_FOLDER FILE RUNS
const fs = require("fs");
const { createRequire } = require("module");

const [folder, file, runs] = process.argv.slice(2);
const solc = createRequire(`${folder}/package.json`)("solc");
const output = JSON.parse(
  solc.compile(
    JSON.stringify({
      language: "Solidity",
      sources: { "verifier.sol": { content: fs.readFileSync(file, "utf8") } },
      settings: {
        optimizer: { enabled: true, runs: Number(runs) },
        evmVersion: "prague",
        outputSelection: { "*": { "*": ["evm.bytecode.object", "evm.deployedBytecode.object"] } },
      },
    }),
  ),
);
const wrong = (output.errors || []).filter((error) => error.severity === "error");
if (wrong.length) {
  console.error(wrong.map((error) => error.formattedMessage).join("\n"));
  process.exit(1);
}
const found = {};
for (const [name, contract] of Object.entries(output.contracts["verifier.sol"])) {
  found[name] = { bytecode: contract.evm.bytecode.object, runtime: contract.evm.deployedBytecode.object };
}
console.log(JSON.stringify(found));
