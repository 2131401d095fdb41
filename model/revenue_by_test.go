package model_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// group is a group of so many minor units of net revenue.
func group(t *testing.T, net, total string, visitors, payers int) *model.RevenueGroup {
	t.Helper()
	parse := func(minor string) model.Sum {
		sum, err := model.ParseSum(minor, "USD")
		require.NoError(t, err)
		return sum
	}
	return &model.RevenueGroup{Revenue: &model.Revenue{Net: parse(net)}, Total: parse(total), Visitors: visitors, Payers: payers}
}

func TestRevenueGroup_RevenuePerVisitor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		net      string
		visitors int
		want     string
	}{
		{"10", 4, "0.02"}, {"14", 4, "0.04"}, {"11", 4, "0.03"}, {"-10", 4, "-0.02"}, {"-14", 4, "-0.04"}, {"-11", 4, "-0.03"}, {"-9", 4, "-0.02"},
		{"0", 4, "0.00"}, {"1", 3, "0.00"}, {"2", 3, "0.01"}, {"92233720368547758070", 10, "92233720368547758.07"},
	} {
		require.Equal(t, test.want, string(group(t, test.net, "0", test.visitors, 0).RevenuePerVisitor().Amount()), test.net)
	}
	require.Nil(t, group(t, "10", "0", 0, 0).RevenuePerVisitor())
}

func TestRevenueGroup_Share(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		net, total string
		want       float64
	}{
		{"25", "100", 0.25}, {"100", "100", 1}, {"150", "100", 1.5}, {"-50", "100", -0.5}, {"0", "100", 0}, {"100", "0", 0}, {"100", "-100", 0},
		{"92233720368547758070", "184467440737095516140", 0.5},
	} {
		require.Equal(t, test.want, group(t, test.net, test.total, 1, 0).Share(), test)
	}
}

func TestRevenueGroup_ConversionRate(t *testing.T) {
	t.Parallel()
	require.Equal(t, 0.25, *group(t, "0", "0", 4, 1).ConversionRate())
	require.Equal(t, 1.5, *group(t, "0", "0", 2, 3).ConversionRate())
	require.Nil(t, group(t, "0", "0", 0, 1).ConversionRate())
}
