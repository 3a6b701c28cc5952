package main

import (
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/hash"
	"github.com/consensys/gnark/std/hash/mimc"
	"github.com/consensys/gnark/std/math/bits"
	"github.com/consensys/gnark/std/rangecheck"
)

// Shape of a ReLU network in exact integers: z = W x + b at every position; hidden x' = max(z, 0) >> shift, at most 255 where it saturates;
// class = lowest index of the largest z.
type Shape struct {
	Inputs int     `json:"inputs"`
	Layers []Layer `json:"layers"`
	Bound  bool    `json:"bound"` // weights are signed bytes under a salted MiMC hash
}

// Layer is dense (one window), or a convolution (a window for each position, channels last), on sums of the numbers before it.
type Layer struct {
	Channels  int     `json:"channels"`
	Shift     int     `json:"shift"` // 0 for the last
	Bits      int     `json:"bits"`  // |z| < 2^bits, for all inputs
	Saturates bool    `json:"saturates"`
	Pools     [][]int `json:"pools"`   // for each number that windows read, which numbers before it are added up
	Windows   [][]int `json:"windows"` // for each position, the numbers that its kernel meets
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
	Weights    [][]frontend.Variable // a layer's rows or kernels, one after the other
	Bias       [][]frontend.Variable
	shape      Shape
}

func (shape Shape) circuit() *Network {
	made := &Network{Pixels: make([]frontend.Variable, shape.Inputs), shape: shape}
	for _, layer := range shape.Layers {
		made.Weights = append(made.Weights, make([]frontend.Variable, len(layer.Windows[0])*layer.Channels))
		made.Bias = append(made.Bias, make([]frontend.Variable, layer.Channels))
	}
	return made
}

// Define states the network. Every pre-activation of a hidden layer is decomposed into bits, so no sum can wrap.
func (network *Network) Define(api frontend.API) error {
	if err := network.bind(api); err != nil {
		return err
	}
	values := network.Pixels
	for number, layer := range network.shape.Layers {
		z := network.linear(api, number, layer.pooled(api, values))
		if number == len(network.shape.Layers)-1 {
			network.lowestArgmax(api, z, layer.Bits)
			break
		}
		values = nil
		for _, one := range z {
			values = append(values, layer.relu(api, one))
		}
	}
	return nil
}

func (layer Layer) pooled(api frontend.API, values []frontend.Variable) []frontend.Variable {
	found := make([]frontend.Variable, len(layer.Pools))
	for i, pool := range layer.Pools {
		found[i] = values[pool[0]]
		for _, other := range pool[1:] {
			found[i] = api.Add(found[i], values[other])
		}
	}
	return found
}

func (layer Layer) relu(api frontend.API, z frontend.Variable) frontend.Variable {
	parts := bits.ToBinary(api, api.Add(z, power(layer.Bits)), bits.WithNbDigits(layer.Bits+1))
	end := layer.Bits
	if layer.Saturates && end > layer.Shift+8 {
		end = layer.Shift + 8
	}
	rest := bits.FromBinary(api, parts[layer.Shift:end])
	if end < layer.Bits {
		above := frontend.Variable(0)
		for _, bit := range parts[end:layer.Bits] {
			above = api.Add(above, bit)
		}
		rest = api.Select(api.IsZero(above), rest, 255)
	}
	return api.Mul(parts[layer.Bits], rest) // the top bit says z >= 0
}

func (network *Network) linear(api frontend.API, number int, values []frontend.Variable) []frontend.Variable {
	layer := network.shape.Layers[number]
	z := make([]frontend.Variable, 0, len(layer.Windows)*layer.Channels)
	for _, window := range layer.Windows {
		for j := 0; j < layer.Channels; j++ {
			row := network.Weights[number][j*len(window) : (j+1)*len(window)]
			total := api.Mul(row[0], values[window[0]])
			for i, place := range window[1:] {
				total = api.MulAcc(total, row[i+1], values[place])
			}
			z = append(z, api.Add(total, network.Bias[number][j]))
		}
	}
	return z
}

func (network *Network) lowestArgmax(api frontend.API, z []frontend.Variable, logitBits int) {
	var top, chosen, reached frontend.Variable = 0, 0, 0
	same := make([]frontend.Variable, len(z))
	for j := range z {
		same[j] = api.IsZero(api.Sub(network.Digit, j))
		top = api.Add(top, api.Mul(same[j], z[j]))
		chosen = api.Add(chosen, same[j])
	}
	api.AssertIsEqual(chosen, 1)
	width := logitBits + 2
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
