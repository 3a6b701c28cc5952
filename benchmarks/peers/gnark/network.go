package main

import (
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/hash"
	"github.com/consensys/gnark/std/hash/mimc"
	"github.com/consensys/gnark/std/math/bits"
	"github.com/consensys/gnark/std/rangecheck"
)

// Shape of a dense ReLU network in exact integers: z = W x + b; hidden x' = max(z, 0) >> shift; class = lowest index of the largest z.
type Shape struct {
	Widths []int `json:"widths"`
	Shifts []int `json:"shifts"` // one a layer, 0 for the last
	Bits   []int `json:"bits"`   // |z| < 2^bits in each layer, for all inputs
	Bound  bool  `json:"bound"`  // weights are signed bytes under a salted MiMC hash
}

const (
	weightBits, weightsEach = 8, 31
	biasBits, biasesEach    = 40, 6
)

// Network is the statement. The pixels, the digit and the hash of the weights are public; nothing else is.
type Network struct {
	Pixels     []frontend.Variable `gnark:",public"`
	Digit      frontend.Variable   `gnark:",public"`
	WeightHash frontend.Variable   `gnark:",public"`
	Salt       frontend.Variable
	Weights    [][]frontend.Variable // a layer's rows, one after the other
	Bias       [][]frontend.Variable
	shape      Shape
}

func (shape Shape) circuit() *Network {
	made := &Network{Pixels: make([]frontend.Variable, shape.Widths[0]), shape: shape}
	for layer := range shape.Shifts {
		inputs, outputs := shape.Widths[layer], shape.Widths[layer+1]
		made.Weights = append(made.Weights, make([]frontend.Variable, inputs*outputs))
		made.Bias = append(made.Bias, make([]frontend.Variable, outputs))
	}
	return made
}

// Define states the network. Every pre-activation of a hidden layer is decomposed into bits, so no sum can wrap.
func (network *Network) Define(api frontend.API) error {
	if err := network.bind(api); err != nil {
		return err
	}
	values := network.Pixels
	for layer, shift := range network.shape.Shifts {
		z := network.dense(api, layer, values)
		if layer == len(network.shape.Shifts)-1 {
			network.lowestArgmax(api, z)
			break
		}
		values = nil
		width := network.shape.Bits[layer]
		for _, one := range z {
			parts := bits.ToBinary(api, api.Add(one, power(width)), bits.WithNbDigits(width+1))
			rest := bits.FromBinary(api, parts[shift:width])
			values = append(values, api.Mul(parts[width], rest)) // the top bit says z >= 0
		}
	}
	return nil
}

func (network *Network) dense(api frontend.API, layer int, values []frontend.Variable) []frontend.Variable {
	outputs := network.shape.Widths[layer+1]
	z := make([]frontend.Variable, outputs)
	for j := range z {
		row := network.Weights[layer][j*len(values) : (j+1)*len(values)]
		z[j] = network.Bias[layer][j]
		for i, value := range values {
			z[j] = api.Add(z[j], api.Mul(row[i], value))
		}
	}
	return z
}

func (network *Network) lowestArgmax(api frontend.API, z []frontend.Variable) {
	var top, chosen, reached frontend.Variable = 0, 0, 0
	same := make([]frontend.Variable, len(z))
	for j := range z {
		same[j] = api.IsZero(api.Sub(network.Digit, j))
		top = api.Add(top, api.Mul(same[j], z[j]))
		chosen = api.Add(chosen, same[j])
	}
	api.AssertIsEqual(chosen, 1)
	width := network.shape.Bits[len(network.shape.Bits)-1] + 2
	for j := range z {
		reached = api.Add(reached, same[j])
		gap := api.Sub(top, z[j], api.Sub(1, reached)) // strictly above those before it
		bits.ToBinary(api, gap, bits.WithNbDigits(width))
	}
}

// bind holds the weights to WeightHash, or WeightHash to zero when the circuit binds none.
func (network *Network) bind(api frontend.API) error {
	if !network.shape.Bound {
		api.AssertIsEqual(network.WeightHash, 0)
		api.AssertIsEqual(network.Salt, 0)
		return nil
	}
	hasher, err := mimc.New(api)
	if err != nil {
		return err
	}
	ranges := rangecheck.New(api)
	hasher.Write(network.Salt)
	for layer := range network.Weights {
		pack(api, ranges, hasher, network.Weights[layer], weightBits, weightsEach)
		pack(api, ranges, hasher, network.Bias[layer], biasBits, biasesEach)
	}
	api.AssertIsEqual(hasher.Sum(), network.WeightHash)
	return nil
}

func pack(api frontend.API, ranges frontend.Rangechecker, hasher hash.StateStorer, values []frontend.Variable, width, each int) {
	for start := 0; start < len(values); start += each {
		var element frontend.Variable = 0
		for i, value := range values[start:min(start+each, len(values))] {
			moved := api.Add(value, power(width-1))
			ranges.Check(moved, width)
			element = api.Add(element, api.Mul(moved, power(width*i)))
		}
		hasher.Write(element)
	}
}
