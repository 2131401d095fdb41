package statements

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"tributary/db"
)

// Plan is a node of what Postgres would do for a statement.
type Plan struct {
	Node      string `json:"Node Type"`
	Operation string // of ModifyTable
	Relation  string `json:"Relation Name"`
	Alias     string
	Index     string `json:"Index Name"`
	Output    []string
	Rows      float64 `json:"Plan Rows"` // that the planner expects

	IndexCond   string `json:"Index Cond"`
	RecheckCond string `json:"Recheck Cond"`
	Filter      string
	Plans       []Plan
}

// Querier is a connection or a transaction.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Explain asks for the plan of a statement. It does not run it.
func Explain(ctx context.Context, conn Querier, text string) (Plan, error) {
	var raw []byte
	if err := conn.QueryRow(ctx, "EXPLAIN (VERBOSE, FORMAT JSON) "+text, pgx.QueryExecModeSimpleProtocol).Scan(&raw); err != nil {
		return Plan{}, err
	}
	var plans []struct{ Plan Plan }
	if err := json.Unmarshal(raw, &plans); err != nil || len(plans) != 1 {
		return Plan{}, fmt.Errorf("%d plans: %w", len(plans), err)
	}
	return plans[0].Plan, nil
}

// ExplainKept asks for the plan of a prepared statement with $1, $2 for its arguments, whatever these are.
func ExplainKept(ctx context.Context, tx pgx.Tx, text string) (Plan, error) {
	described, err := tx.Prepare(ctx, text, text)
	if err != nil {
		return Plan{}, err
	}
	if _, err := tx.Exec(ctx, "SET LOCAL plan_cache_mode = force_generic_plan"); err != nil {
		return Plan{}, err
	}
	call := "EXECUTE " + described.Name
	if n := len(described.ParamOIDs); n > 0 {
		call += "(NULL" + strings.Repeat(", NULL", n-1) + ")"
	}
	return Explain(ctx, tx, call)
}

// Each visits the node and all below it.
func (p Plan) Each(visit func(p Plan)) {
	visit(p)
	for _, below := range p.Plans {
		below.Each(visit)
	}
}

// Scans are the nodes that read a tenant table.
func (p Plan) Scans() (scans []Plan) {
	p.Each(func(p Plan) {
		if strings.Contains(p.Node, "Scan") && p.Node != "Bitmap Index Scan" && isTenant(p.Relation) {
			scans = append(scans, p)
		}
	})
	return scans
}

func isTenant(table string) bool { return slices.Contains(db.TenantTables(), table) }
