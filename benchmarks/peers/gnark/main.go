// gnark's own calls on a ReLU network, one step a process:
//
//	prover setup|prove|verify|contract groth16|plonk     in the folder with circuit.json and input.json; prints `inner SECONDS`
//	prover ceremony POWER FILE.ptau                      a development powers-of-tau file for snarkjs
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"os"
	"strconv"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	groth16_bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/plonk"
	plonk_bn254 "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/backend/solidity"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/frontend/cs/scs"
	"github.com/consensys/gnark/test/unsafekzg"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func timed(work func()) {
	start := time.Now()
	work()
	fmt.Printf("inner %f\n", time.Since(start).Seconds())
}

func readJSON(name string, into any) {
	data, err := os.ReadFile(name)
	must(err)
	must(json.Unmarshal(data, into))
}

func write(name string, from io.WriterTo) {
	file, err := os.Create(name)
	must(err)
	_, err = from.WriteTo(file)
	must(err)
	must(file.Close())
}

func read(name string, into io.ReaderFrom) {
	file, err := os.Open(name)
	must(err)
	_, err = into.ReadFrom(file)
	must(err)
	must(file.Close())
}

// scheme hides which of the two proof systems is asked for.
type scheme interface {
	compile(shape Shape) constraint.ConstraintSystem
	setup(system constraint.ConstraintSystem)
	prove(full witness.Witness)
	verify(publics witness.Witness, proof string) error
	contract()
}

func full(shape Shape) witness.Witness {
	var input Input
	readJSON("input.json", &input)
	made, err := frontend.NewWitness(input.assign(shape), ecc.BN254.ScalarField())
	must(err)
	return made
}

func main() {
	step := os.Args[1]
	if step == "ceremony" {
		power, err := strconv.Atoi(os.Args[2])
		must(err)
		ceremony(power, os.Args[3])
		return
	}
	schemes := map[string]scheme{"groth16": groth{}, "plonk": plonkish{}}
	chosen := schemes[os.Args[2]]
	var shape Shape
	readJSON("circuit.json", &shape)
	switch step {
	case "setup":
		system := chosen.compile(shape)
		fmt.Printf("constraints %d\n", system.GetNbConstraints())
		write("circuit.cs", system)
		chosen.setup(system)
	case "prove":
		made := full(shape)
		chosen.prove(made)
		publics, err := made.Public()
		must(err)
		write("public.wtns", publics)
	case "verify":
		publics, err := witness.New(ecc.BN254.ScalarField())
		must(err)
		read("public.wtns", publics)
		refused := chosen.verify(publics, os.Args[3])
		if refused != nil {
			fmt.Println("refused")
			os.Exit(1)
		}
		fmt.Println("accepted")
	case "contract":
		chosen.contract()
	default:
		must(fmt.Errorf("no step %q", step))
	}
}

type groth struct{}

func (groth) compile(shape Shape) constraint.ConstraintSystem {
	system, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, shape.circuit())
	must(err)
	return system
}

// A development set-up: one dealer, this process, which could have kept the secret.
func (groth) setup(system constraint.ConstraintSystem) {
	pk, vk, err := groth16.Setup(system)
	must(err)
	write("pk.key", pk)
	write("vk.key", vk)
}

func (groth) prove(made witness.Witness) {
	system, pk := groth16.NewCS(ecc.BN254), groth16.NewProvingKey(ecc.BN254)
	read("circuit.cs", system)
	file, err := os.Open("pk.key")
	must(err)
	_, err = pk.UnsafeReadFrom(file)
	must(err)
	timed(func() {
		proof, err := groth16.Prove(system, pk, made, solidity.WithProverTargetSolidityVerifier(backend.GROTH16))
		must(err)
		write("proof.bin", proof)
		must(os.WriteFile("proof.sol.bin", proof.(*groth16_bn254.Proof).MarshalSolidity(), 0o600))
	})
}

func (groth) verify(publics witness.Witness, name string) error {
	vk, proof := groth16.NewVerifyingKey(ecc.BN254), groth16.NewProof(ecc.BN254)
	read("vk.key", vk)
	read(name, proof)
	var refused error
	timed(func() {
		refused = groth16.Verify(proof, vk, publics, solidity.WithVerifierTargetSolidityVerifier(backend.GROTH16))
	})
	return refused
}

func (groth) contract() {
	vk := groth16.NewVerifyingKey(ecc.BN254)
	read("vk.key", vk)
	file, err := os.Create("verifier.sol")
	must(err)
	must(vk.ExportSolidity(file))
	must(file.Close())
}

type plonkish struct{}

func (plonkish) compile(shape Shape) constraint.ConstraintSystem {
	system, err := frontend.Compile(ecc.BN254.ScalarField(), scs.NewBuilder, shape.circuit())
	must(err)
	return system
}

// A development reference string: its secret is known to this process.
func (plonkish) setup(system constraint.ConstraintSystem) {
	powers, lagrange, err := unsafekzg.NewSRS(system)
	must(err)
	pk, vk, err := plonk.Setup(system, powers, lagrange)
	must(err)
	write("pk.key", pk)
	write("vk.key", vk)
}

func (plonkish) prove(made witness.Witness) {
	system, pk := plonk.NewCS(ecc.BN254), plonk.NewProvingKey(ecc.BN254)
	read("circuit.cs", system)
	file, err := os.Open("pk.key")
	must(err)
	_, err = pk.UnsafeReadFrom(file)
	must(err)
	timed(func() {
		proof, err := plonk.Prove(system, pk, made, solidity.WithProverTargetSolidityVerifier(backend.PLONK))
		must(err)
		write("proof.bin", proof)
		must(os.WriteFile("proof.sol.bin", proof.(*plonk_bn254.Proof).MarshalSolidity(), 0o600))
	})
}

func (plonkish) verify(publics witness.Witness, name string) error {
	vk, proof := plonk.NewVerifyingKey(ecc.BN254), plonk.NewProof(ecc.BN254)
	read("vk.key", vk)
	read(name, proof)
	var refused error
	timed(func() {
		refused = plonk.Verify(proof, vk, publics, solidity.WithVerifierTargetSolidityVerifier(backend.PLONK))
	})
	return refused
}

func (plonkish) contract() {
	vk := plonk.NewVerifyingKey(ecc.BN254)
	read("vk.key", vk)
	file, err := os.Create("verifier.sol")
	must(err)
	must(vk.ExportSolidity(file))
	must(file.Close())
}

func number(text string) *big.Int {
	value, good := new(big.Int).SetString(text, 10)
	if !good {
		must(fmt.Errorf("%q is no number", text))
	}
	return value
}
