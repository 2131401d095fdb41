package model

import (
	"math"
	"math/big"
	"slices"
	"sync"
	"time"
)

// Touch is a touchpoint of a payment, for Weights.
type Touch struct {
	StartedAt time.Time
	Direct    bool // its channel is ChannelDirect
}

// Weights are the parts that a model gives to the touchpoints of a payment, earliest first; each part is
// the weight divided by the sum of all. This is the rule; db has it in SQL, and tests compare the two.
//
//   - ModelFirstTouch, ModelLastTouch, ModelLastNonDirect: 1 for the one touchpoint, 0 for the others.
//   - ModelLinear: 1 for each.
//   - ModelPositionBased: 2(n−2) for the first and the last of n touchpoints, 1 for those between; 1 for
//     each of two, or for the only one.
//   - ModelTimeDecay: see DecayWeight.
func Weights(m AttributionModel, touches []Touch) []int64 {
	n := len(touches)
	weights := make([]int64, n)
	if n == 0 {
		return weights
	}
	switch m {
	case ModelFirstTouch:
		weights[0] = 1
	case ModelLastTouch:
		weights[n-1] = 1
	case ModelLastNonDirect:
		last := n - 1
		for i, touch := range touches {
			if !touch.Direct {
				last = i
			}
		}
		weights[last] = 1
	case ModelLinear, ModelPositionBased:
		for i := range weights {
			weights[i] = 1
		}
		if m == ModelPositionBased && n > 2 {
			weights[0], weights[n-1] = int64(2*(n-2)), int64(2*(n-2))
		}
	case ModelTimeDecay:
		for i, touch := range touches {
			weights[i] = DecayWeight(touches[n-1].StartedAt.Sub(touch.StartedAt))
		}
	}
	return weights
}

// HalfLife is the number of hours in which the weight of a touchpoint halves under ModelTimeDecay: 7 days.
const HalfLife = 7 * 24

// decayBits is the binary logarithm of the weight of the newest touchpoint.
const decayBits = 40

// DecayWeights are the weights of touchpoints that are 0 to HalfLife−1 full hours older than the payment's
// newest one: 2^(40 − hours/HalfLife), rounded down. They are integers, and the same everywhere: whichever
// computer divides a payment, now or later, divides it alike.
var DecayWeights = sync.OnceValue(func() []int64 {
	weights := make([]int64, HalfLife)
	for hours := range weights {
		weights[hours] = int64(math.Exp2(decayBits - float64(hours)/HalfLife))
	}
	return weights
})

// DecayWeight is the weight, under ModelTimeDecay, of a touchpoint that is older than the payment's newest one
// by age, which counts in full hours: that of DecayWeights, halved and rounded down for each HalfLife. Beyond 40
// of them, 280 days, it is 0.
func DecayWeight(age time.Duration) int64 {
	hours := int(age / time.Hour)
	return DecayWeights()[hours%HalfLife] >> (hours / HalfLife)
}

// Allocate divides an amount in minor units by weights, of which one at least is above 0. Each part is rounded
// down; what remains goes to the parts that lost most by that, a minor unit to each, and to earlier ones
// where they lost the same. So the parts add up to the amount.
func Allocate(minor int64, weights []int64) []int64 {
	whole := new(big.Int)
	for _, w := range weights {
		whole.Add(whole, big.NewInt(w))
	}
	parts, rests, order := make([]int64, len(weights)), make([]*big.Int, len(weights)), make([]int, len(weights))
	left := minor
	for i, w := range weights {
		share := new(big.Int).Mul(big.NewInt(minor), big.NewInt(w))
		share, rests[i] = share.DivMod(share, whole, new(big.Int))
		parts[i], order[i] = share.Int64(), i
		left -= parts[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return rests[b].Cmp(rests[a]) })
	for _, i := range order[:left] {
		parts[i]++
	}
	return parts
}
