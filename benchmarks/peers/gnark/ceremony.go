package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"math/big"
	"os"
	"strconv"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// ceremony writes a development powers-of-tau file in snarkjs' format, prepared for circuits of exactly 2^power constraints. Its
// dealer knows the secrets, so it multiplies the generators by the Lagrange polynomials' values at tau: a minute where snarkjs,
// which has to work on points of an unknown tau, takes hours.
func ceremony(power int, target string) {
	start := time.Now()
	var tau, alpha, beta fr.Element
	for _, secret := range []*fr.Element{&tau, &alpha, &beta} {
		_, err := secret.SetRandom()
		must(err)
	}
	file, err := os.Create(target + ".part")
	must(err)
	writer := bufio.NewWriterSize(file, 1<<20)
	writeHeader(writer, power)
	_, _, g1, g2 := bn254.Generators()
	lagrange := lagrangeAt(tau, power)
	writeG1(writer, 2, 0, bn254.BatchScalarMultiplicationG1(&g1, powersOf(tau, 2<<power-1)))
	writeG1(writer, 4, 0, bn254.BatchScalarMultiplicationG1(&g1, []fr.Element{alpha}))
	writeG1(writer, 5, 0, bn254.BatchScalarMultiplicationG1(&g1, []fr.Element{beta}))
	writeG2(writer, 6, 0, bn254.BatchScalarMultiplicationG2(&g2, []fr.Element{beta}))
	// section 12 holds sizes 2^0, 2^1 .. 2^(power+1) one after the other: the two that a circuit reads, zeros before them
	both := append(append([]fr.Element{}, lagrange...), lagrangeAt(tau, power+1)...)
	before := 1<<power - 1
	writeG1(writer, 12, before, bn254.BatchScalarMultiplicationG1(&g1, both))
	writeG2(writer, 13, before, bn254.BatchScalarMultiplicationG2(&g2, lagrange))
	writeG1(writer, 14, before, bn254.BatchScalarMultiplicationG1(&g1, scaled(lagrange, alpha)))
	writeG1(writer, 15, before, bn254.BatchScalarMultiplicationG1(&g1, scaled(lagrange, beta)))
	must(writer.Flush())
	must(file.Close())
	record := `{"seconds": ` + strconv.FormatFloat(time.Since(start).Seconds(), 'f', 3, 64) + "}"
	must(os.WriteFile(target+".json", []byte(record), 0o644))
	must(os.Rename(target+".part", target))
}

// lagrangeAt gives L_i(tau) = (tau^n - 1)/n * w^i / (tau - w^i) for i < n = 2^power, w = 5^((r-1)/n).
func lagrangeAt(tau fr.Element, power int) []fr.Element {
	n := int64(1) << power
	var w, at, factor, one fr.Element
	one.SetOne()
	order := new(big.Int).Sub(fr.Modulus(), big.NewInt(1))
	w.SetUint64(5)
	w.Exp(w, order.Div(order, big.NewInt(n)))
	factor.Exp(tau, big.NewInt(n))
	factor.Sub(&factor, &one)
	at.SetInt64(n)
	factor.Div(&factor, &at)
	gaps, found := make([]fr.Element, n), make([]fr.Element, n)
	at.SetOne()
	for i := range found {
		gaps[i].Sub(&tau, &at)
		found[i].Mul(&factor, &at)
		at.Mul(&at, &w)
	}
	for i, inverse := range fr.BatchInvert(gaps) {
		found[i].Mul(&found[i], &inverse)
	}
	return found
}

func powersOf(tau fr.Element, count int) []fr.Element {
	made := make([]fr.Element, count)
	made[0].SetOne()
	for i := 1; i < count; i++ {
		made[i].Mul(&made[i-1], &tau)
	}
	return made
}

func scaled(values []fr.Element, by fr.Element) []fr.Element {
	made := make([]fr.Element, len(values))
	for i := range values {
		made[i].Mul(&values[i], &by)
	}
	return made
}

func writeHeader(writer io.Writer, power int) {
	_, err := writer.Write([]byte("ptau"))
	must(err)
	little(writer, uint32(1), uint32(9)) // version, sections
	little(writer, uint32(1), uint64(44), uint32(32))
	modulus := fp.Modulus().FillBytes(make([]byte, 32))
	for i := range modulus {
		little(writer, modulus[31-i])
	}
	little(writer, uint32(power), uint32(power))
}

func writeG1(writer io.Writer, section uint32, zeros int, points []bn254.G1Affine) {
	little(writer, section, uint64(64*(zeros+len(points))))
	pad(writer, 64*zeros)
	for i := range points {
		little(writer, [4]uint64(points[i].X), [4]uint64(points[i].Y))
	}
}

func writeG2(writer io.Writer, section uint32, zeros int, points []bn254.G2Affine) {
	little(writer, section, uint64(128*(zeros+len(points))))
	pad(writer, 128*zeros)
	for i := range points {
		for _, part := range []fp.Element{points[i].X.A0, points[i].X.A1, points[i].Y.A0, points[i].Y.A1} {
			little(writer, [4]uint64(part)) // Montgomery form, as snarkjs keeps it
		}
	}
}

func pad(writer io.Writer, count int) {
	_, err := writer.Write(make([]byte, count))
	must(err)
}

func little(writer io.Writer, values ...any) {
	for _, value := range values {
		must(binary.Write(writer, binary.LittleEndian, value))
	}
}
