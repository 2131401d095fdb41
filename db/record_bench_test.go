package db_test

import (
	"fmt"
	"testing"

	"tributary/model"
)

// BenchmarkStore_RecordPayments records batches, each in one transaction, on a Postgres that does not wait for
// the disk.
func BenchmarkStore_RecordPayments(b *testing.B) {
	for _, n := range []int{1, 64, 256} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			s := setup(b)
			inputs, recorded := make([]model.RecordPaymentInput, n), 0
			for b.Loop() {
				for i := range inputs {
					inputs[i] = charge(fmt.Sprint("t", recorded))
					inputs[i].VisitorID = ptr(fmt.Sprint("v", recorded*7919%100_000))
					recorded++
				}
				if _, err := s.RecordPayments(b.Context(), s.site, s.batch(inputs...)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(recorded)/b.Elapsed().Seconds(), "payments/s")
		})
	}
}
