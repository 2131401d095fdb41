package db

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"tributary/model"
)

// BenchmarkStatements makes the statements by which a batch is recorded, without sending them.
func BenchmarkStatements(b *testing.B) {
	store := &Store{db: bun.NewDB(&sql.DB{}, pgdialect.New())}
	site := model.Website{ID: "954be6b04eda15d0917c7a5a", Currency: "USD"}
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, n := range []int{1, 64, 256} {
		batch, added := make([]*model.NewPayment, n), make([]*model.Payment, n)
		for i := range batch {
			visitor := fmt.Sprint("v", i*7919)
			batch[i] = &model.NewPayment{Payment: model.Payment{
				WebsiteID: site.ID, ID: newID(), TransactionID: fmt.Sprint("5b1f0c52a7-", i), Kind: model.KindCharge,
				Amount: model.Money{Minor: int64(100 * i), Currency: "USD"}, OccurredAt: now, RecordedAt: now,
				VisitorID: &visitor, Basis: model.BasisVisitorID,
			}}
			batch[i].Reporting = &batch[i].Amount
			added[i] = &batch[i].Payment
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				r := recorder{tx: &transaction{store: store}, site: site, changes: &ledgerChanges{extent: &rollupExtent{}}}
				r.queueLoad(batch, &loaded{})
				if err := r.insert(added); err != nil {
					b.Fatal(err)
				}
				if err := r.keepRollups(b.Context()); err != nil {
					b.Fatal(err)
				}
				size = 0
				for _, statement := range r.tx.queued {
					size += len(statement.text)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/payment")
			b.ReportMetric(float64(size)/float64(n), "bytes/payment")
		})
	}
}
