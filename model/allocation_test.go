package model_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tributary/model"
)

func TestWeights(t *testing.T) {
	t.Parallel()
	const direct = true
	touch := func(day int, direct bool) model.Touch {
		return model.Touch{StartedAt: noon.AddDate(0, 0, day), Direct: direct}
	}
	four := []model.Touch{touch(0, direct), touch(7, !direct), touch(14, direct), touch(14, direct)}
	for _, test := range []struct {
		model   model.AttributionModel
		touches []model.Touch
		want    []int64
	}{
		{model.ModelFirstTouch, four, []int64{1, 0, 0, 0}},
		{model.ModelLastTouch, four, []int64{0, 0, 0, 1}},
		{model.ModelLastNonDirect, four, []int64{0, 1, 0, 0}},
		{model.ModelLastNonDirect, four[2:], []int64{0, 1}},
		{model.ModelLinear, four, []int64{1, 1, 1, 1}},
		{model.ModelPositionBased, four, []int64{4, 1, 1, 4}},
		{model.ModelPositionBased, four[1:], []int64{2, 1, 2}},
		{model.ModelPositionBased, four[2:], []int64{1, 1}},
		{model.ModelPositionBased, four[3:], []int64{1}},
		{model.ModelTimeDecay, four, []int64{1 << 38, 1 << 39, 1 << 40, 1 << 40}},
	} {
		require.Equal(t, test.want, model.Weights(test.model, test.touches), "%s of %d", test.model, len(test.touches))
	}
	for _, m := range model.AttributionModels {
		require.Empty(t, model.Weights(m, nil), m)
	}
}

func TestDecayWeight(t *testing.T) {
	t.Parallel()

	t.Run("is exact", func(t *testing.T) {
		t.Parallel()
		root, power := big.NewInt(model.HalfLife), new(big.Int)
		for hours, weight := range model.DecayWeights() {
			// weight <= 2^(40 - hours/168) < weight + 1, to the power of 168
			exact := new(big.Int).Lsh(big.NewInt(1), uint(40*model.HalfLife-hours))
			require.LessOrEqual(t, power.Exp(big.NewInt(weight), root, nil).Cmp(exact), 0, hours)
			require.Positive(t, power.Exp(big.NewInt(weight+1), root, nil).Cmp(exact), hours)
		}
	})

	t.Run("counts full hours, and ends", func(t *testing.T) {
		t.Parallel()
		const week = model.HalfLife * time.Hour
		for age, want := range map[time.Duration]int64{
			0: 1 << 40, time.Hour - 1: 1 << 40, time.Hour: model.DecayWeights()[1], week - 1: model.DecayWeights()[167],
			week: 1 << 39, 40 * week: 1, 41*week - 1: 0, 41 * week: 0, 520 * week: 0,
		} {
			require.Equal(t, want, model.DecayWeight(age), age)
		}
	})
}

func TestAllocate(t *testing.T) {
	t.Parallel()

	t.Run("gives what remains to the greatest remainders, the earlier first", func(t *testing.T) {
		t.Parallel()
		for _, test := range []struct {
			minor   int64
			weights []int64
			want    []int64
		}{
			{100, []int64{1, 1, 1}, []int64{34, 33, 33}},
			{101, []int64{1, 1, 1}, []int64{34, 34, 33}},
			{1, []int64{1, 1, 1}, []int64{1, 0, 0}},
			{1, []int64{2, 1, 2}, []int64{1, 0, 0}},
			{3, []int64{2, 1, 2}, []int64{1, 1, 1}},
			{10, []int64{3, 1, 3}, []int64{4, 2, 4}},
			{7, []int64{0, 1, 0}, []int64{0, 7, 0}},
			{0, []int64{1, 1}, []int64{0, 0}},
			{model.MaxMinor, []int64{1 << 40, 1 << 40}, []int64{1 << 52, 1<<52 - 1}},
		} {
			require.Equal(t, test.want, model.Allocate(test.minor, test.weights), fmt.Sprint(test.minor, test.weights))
		}
	})

	t.Run("adds up, and is off by less than a minor unit", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(rt *rapid.T) {
			minor := rapid.Int64Range(0, 1<<62).Draw(rt, "minor")
			weights := rapid.SliceOfN(rapid.Int64Range(0, 1<<40), 1, 50).Draw(rt, "weights")
			weights[0]++
			var left, whole = minor, int64(0)
			for _, w := range weights {
				whole += w
			}
			for i, part := range model.Allocate(minor, weights) {
				left -= part
				off := new(big.Int).Mul(big.NewInt(part), big.NewInt(whole))
				off.Sub(off, new(big.Int).Mul(big.NewInt(minor), big.NewInt(weights[i])))
				require.Negative(rt, off.CmpAbs(big.NewInt(whole)))
			}
			require.Zero(rt, left)
		})
	})
}
