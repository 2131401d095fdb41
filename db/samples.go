package db

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"tributary/model"
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

// growth is how much was recorded since the planner was last asked what it expects.
type growth struct {
	mu    sync.Mutex
	items map[string]int       // by website
	rest  map[string]time.Time // until when no samples are taken, by table
}

func (g *growth) add(websiteID string, items int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.items[websiteID] += items
}

// grown are the websites that have got many items.
func (g *growth) grown() (websites []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id, items := range g.items {
		if items >= grownBy {
			websites = append(websites, id)
		}
	}
	return websites
}

func (g *growth) forget(websiteID string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.items, websiteID)
}

func (g *growth) rests(table string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Now().Before(g.rest[table])
}

func (g *growth) letRest(table string, d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rest[table] = time.Now().Add(d)
}

// recording is onLedger beside others, for so many items that are recorded.
func (s *Store) recording(ctx context.Context, site model.Website, items int, do func(ctx context.Context, r recorder) error) error {
	err := s.onLedger(ctx, site, beside, do)
	if err == nil {
		s.growth.add(site.ID, items)
	}
	return err
}

// TakeSamples has Postgres take new samples of the tables in which this store has recorded much for a website of
// which the planner expects next to nothing, and answers these tables. Recording goes on beside it. A table rests
// between two samples, so that they take a twentieth of the time at most.
func (s *Store) TakeSamples(ctx context.Context) (sampled []string, err error) {
	underestimated := map[string]bool{} // tables
	for _, website := range s.growth.grown() {
		isRight := true
		for _, table := range TenantTables() {
			isLow, err := s.isUnderestimated(ctx, table, website)
			if err != nil {
				return nil, translate(err)
			}
			if isLow {
				underestimated[table], isRight = true, false
			}
		}
		if isRight {
			s.growth.forget(website)
		}
	}
	err = s.unhurried(ctx, func(conn bun.Conn) error {
		for _, table := range slices.Sorted(maps.Keys(underestimated)) {
			if s.growth.rests(table) {
				continue
			}
			begun := time.Now()
			if _, err := conn.NewRaw("ANALYZE (SKIP_LOCKED) ?", bun.Ident(table)).Exec(ctx); err != nil {
				return err
			}
			s.growth.letRest(table, max(leastRest, sampleRest*time.Since(begun)))
			sampled = append(sampled, table)
		}
		return nil
	})
	return sampled, err
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
	if plans[0].Plan.Rows >= few {
		return false, nil
	}
	err = s.db.NewRaw("SELECT count(*) = ? FROM (?) AS r", many, rows.Limit(many)).Scan(ctx, &is)
	return is, err
}
