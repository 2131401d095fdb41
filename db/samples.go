package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
)

// Postgres plans by samples, which it takes by itself when a tenth of a table has changed. Of a website that is new
// beside large ones it then knows nothing for long, expects a single row, and reads all of the website again for each
// of its rows.
const (
	// grownBy is how many items a website has got when it is looked at.
	grownBy = 1000
	// many rows of a website are too many for a plan that expects few.
	few, many = 200, 2000
	// sampleRest is how many times as long as a table's last samples took no others are taken, and leastRest how long
	// at least.
	sampleRest = 20
	leastRest  = time.Minute
)

// growth is which websites are to be looked at, in which tables.
type growth struct {
	mu    sync.Mutex
	items map[string]int             // that were recorded since, by website
	grown map[string]map[string]bool // websites, by table
	rest  map[string]time.Time       // until when no samples are taken, by table
	begun atomic.Bool                // whether all websites are to be, or have been
}

func newGrowth() *growth {
	g := &growth{items: map[string]int{}, grown: map[string]map[string]bool{}, rest: map[string]time.Time{}}
	for _, table := range TenantTables() {
		g.grown[table] = map[string]bool{}
	}
	return g
}

// add counts what was recorded.
func (g *growth) add(websiteID string, items int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.items[websiteID] += items; g.items[websiteID] < grownBy {
		return
	}
	delete(g.items, websiteID)
	for _, websites := range g.grown {
		websites[websiteID] = true
	}
}

// take takes the websites that are to be looked at in a table: none while that rests.
func (g *growth) take(table string) (websites []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if time.Now().Before(g.rest[table]) {
		return nil
	}
	for id := range g.grown[table] {
		websites = append(websites, id)
	}
	clear(g.grown[table])
	return websites
}

// putBack has websites looked at again.
func (g *growth) putBack(table string, websites []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, id := range websites {
		g.grown[table][id] = true
	}
}

func (g *growth) letRest(table string, d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rest[table] = time.Now().Add(d)
}

// TakeSamples has Postgres take new samples of the tables in which this store has recorded much for a website of
// which the planner expects next to nothing, and answers these tables. Recording goes on beside it. A table rests
// between two samples, so that they take a twentieth of the time at most. A website that is still not expected after
// them is looked at again when it has grown again; one whose table is being vacuumed, with the next call. The first
// call looks at all websites: nobody has counted what was recorded before.
func (s *Store) TakeSamples(ctx context.Context) (sampled []string, err error) {
	if !s.growth.begun.Load() {
		websites, err := s.Websites(ctx, "")
		if err != nil {
			return nil, err
		}
		for _, w := range websites {
			s.growth.add(w.ID, grownBy)
		}
		s.growth.begun.Store(true)
	}
	for _, table := range TenantTables() {
		websites := s.growth.take(table)
		is, err := s.sampleFor(ctx, table, websites)
		if err != nil {
			s.growth.putBack(table, websites)
			if isLocked(err) {
				continue
			}
			return sampled, translate(err)
		}
		if is {
			sampled = append(sampled, table)
		}
	}
	return sampled, nil
}

// sampleFor takes samples of a table if one of the websites is underestimated in it, and says whether it did.
func (s *Store) sampleFor(ctx context.Context, table string, websites []string) (is bool, err error) {
	for _, website := range websites {
		is, err := s.isUnderestimated(ctx, table, website)
		if err != nil {
			return false, err
		}
		if is {
			return true, s.sample(ctx, table)
		}
	}
	return false, nil
}

// sample takes samples of a table, for as long as it takes, unless somebody vacuums it or takes samples: to wait for
// these would end an automatic vacuum.
func (s *Store) sample(ctx context.Context, table string) error {
	began := time.Now()
	_, err := s.try(ctx, func(ctx context.Context, tx *transaction) error {
		tx.queue(tx.NewRaw("SET LOCAL statement_timeout = 0"))
		tx.queue(tx.NewRaw("LOCK TABLE ? IN SHARE UPDATE EXCLUSIVE MODE NOWAIT", bun.Ident(table)))
		tx.queue(tx.NewRaw("ANALYZE ?", bun.Ident(table)))
		return nil
	})
	if err == nil {
		s.growth.letRest(table, max(leastRest, sampleRest*time.Since(began)))
	}
	return err
}

// isLocked says whether a lock was not to be had at once.
func isLocked(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == stateLockTimeout
}

// isUnderestimated says whether the planner expects few rows of a website in a table that has many.
func (s *Store) isUnderestimated(ctx context.Context, table, websiteID string) (is bool, err error) {
	rows := s.db.NewSelect().TableExpr("?", bun.Ident(table)).ColumnExpr("1").Where("website_id = ?", websiteID)
	var text string
	if err := s.db.NewRaw("EXPLAIN (FORMAT JSON) ?", rows).Scan(ctx, &text); err != nil {
		return false, err
	}
	var plans []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	if err := json.Unmarshal([]byte(text), &plans); err != nil || len(plans) != 1 {
		return false, fmt.Errorf("read a plan: %w", err)
	}
	// Postgres expects a row at least. Citus says 0, and plans where the rows are.
	if expected := plans[0].Plan.Rows; expected < 1 || expected >= few {
		return false, nil
	}
	err = s.db.NewRaw("SELECT count(*) = ? FROM (?) AS r", many, rows.Limit(many)).Scan(ctx, &is)
	return is, err
}
