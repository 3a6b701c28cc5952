package main

import (
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/mimc"
	"github.com/consensys/gnark/frontend"
)

// Input is what the prover knows, numbers as decimal strings.
type Input struct {
	Pixels  []string   `json:"pixels"`
	Digit   string     `json:"digit"`
	Salt    string     `json:"salt"`
	Weights [][]string `json:"weights"`
	Bias    [][]string `json:"bias"`
}

func power(exponent int) *big.Int {
	return new(big.Int).Lsh(big.NewInt(1), uint(exponent))
}

func (input Input) assign(shape Shape) *Network {
	made := &Network{Digit: number(input.Digit), Salt: number(input.Salt), WeightHash: big.NewInt(0), shape: shape}
	made.Pixels = variables(input.Pixels)
	for layer := range input.Weights {
		made.Weights = append(made.Weights, variables(input.Weights[layer]))
		made.Bias = append(made.Bias, variables(input.Bias[layer]))
	}
	if shape.Bound {
		made.WeightHash = input.hash()
	}
	return made
}

// hash is `bind` outside the circuit.
func (input Input) hash() *big.Int {
	hash := mimc.NewMiMC()
	absorb := func(value *big.Int) {
		var element fr.Element
		element.SetBigInt(value)
		bytes := element.Bytes()
		hash.Write(bytes[:])
	}
	absorb(number(input.Salt))
	for layer := range input.Weights {
		packed(input.Weights[layer], weightBits, weightsEach, absorb)
		packed(input.Bias[layer], biasBits, biasesEach, absorb)
	}
	return new(big.Int).SetBytes(hash.Sum(nil))
}

func packed(values []string, width, each int, absorb func(*big.Int)) {
	for start := 0; start < len(values); start += each {
		element := new(big.Int)
		for i, value := range values[start:min(start+each, len(values))] {
			moved := new(big.Int).Add(number(value), power(width-1))
			element.Add(element, moved.Lsh(moved, uint(width*i)))
		}
		absorb(element)
	}
}

func variables(texts []string) []frontend.Variable {
	made := make([]frontend.Variable, len(texts))
	for i, text := range texts {
		made[i] = number(text)
	}
	return made
}
