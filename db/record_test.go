package db_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/model"
)

func TestStore_RecordPayments(t *testing.T) {
	t.Parallel()

	t.Run("of nothing", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		results, err := b.RecordPayments(t.Context(), b.site, nil)
		require.NoError(t, err)
		require.Empty(t, results)
	})

	for _, n := range []int{1, 2, 4, 5, 60} {
		t.Run(fmt.Sprintf("%d keep all that they say", n), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.site = b.website("EUR")
			_, err := b.ImportRates(t.Context(), []model.Rate{{Date: model.DateOf(now), Currency: "USD", PerEuro: "1.0625", Source: "a 'source'"}}, false, now)
			require.NoError(t, err)
			var inputs []model.RecordPaymentInput
			for i := range n {
				inputs = append(inputs, peculiar(i))
			}
			recorded, err := b.RecordPayments(t.Context(), b.site, b.batch(inputs...))
			require.NoError(t, err)
			again, err := b.another(db.Options{}).RecordPayments(t.Context(), b.site, b.batch(inputs...))
			require.NoError(t, err)
			for i := range recorded {
				require.Nil(t, recorded[i].Error)
				require.NotEqual(t, model.OutcomeDuplicate, recorded[i].Payload.Outcome)
				require.Equal(t, model.OutcomeDuplicate, again[i].Payload.Outcome)
				require.Empty(t, again[i].Payload.Differences)
				require.Equal(t, recorded[i].Payload.Payment, again[i].Payload.Payment)
			}
		})
	}
}

// peculiar is the input of a payment that has what others lack, in texts that mean something to Postgres.
func peculiar(i int) model.RecordPaymentInput {
	texts := []string{`it's`, `"quoted"`, `back\slash\\'`, `{a,b}`, `NULL`, `null`, `a,b`, `$1 ? ?0 --`, `/* ; */ COMMIT;`, `žluťoučký 🐎 \u0000`, `'`, `"`, `\`, `{`, `()`}
	text := func(k int) *string { return ptr(texts[(i+k)%len(texts)]) }
	in := charge(fmt.Sprint(*text(0), i))
	in.Amount = model.Decimal(fmt.Sprint(10 + i%3))
	switch i % 5 {
	case 1:
		in.VisitorID, in.SessionID = text(1), text(2)
	case 2:
		in.CustomerID, in.Email, in.Name = text(3), ptr(fmt.Sprintf("O'Hara+%d@shop.example", i%2)), text(4)
	case 3:
		in.Currency = "EUR"
		in.Metadata = model.Metadata{"key": *text(5), "on": true}
	case 4:
		in.Refunded, in.RefundOf = ptr(true), text(6)
		at := model.AtTime(now.AddDate(0, 0, -i%3).Add(-1234567))
		in.OccurredAt = &at
	}
	return in
}
