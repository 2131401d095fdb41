package model_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestParsePerEuro(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"1", "1.0866", "0.84180", "18584.23", "0.000000000001", "999999999999.999999999999"} {
		got, err := model.ParsePerEuro(text)
		require.NoError(t, err, text)
		require.Equal(t, model.Decimal(text), got)
	}
	for _, text := range []string{
		"", "0", "0.000", "-1", "+1", ".5", "1.", "01", "1,5", "1e3", "1.5E1", " 1", "1 ", "N/A", "NaN", "Infinity", "0x1", "1/2", "١",
		"1000000000000", "0.0000000000001",
	} {
		got, err := model.ParsePerEuro(text)
		require.Equal(t, model.CodeInvalidAmount, model.AsError(err).Code, text)
		require.Empty(t, got)
	}
}
