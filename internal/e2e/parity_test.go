package e2e_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// step is one step of a scenario in testdata/parity. Inputs are those of GraphQL's mutations.
type step struct {
	Record, Delete map[string]any
	Want           string // of record and delete: the outcome and its fields, or the error's code and field

	Visit   string // a visitor is seen
	Forward string // time passes
	Limit   *int64 // the account's monthly limit
	Suspend *bool  // the website
}

// wire speaks one of the APIs.
type wire interface {
	record(t testing.TB, s *stack, input map[string]any) (outcome string)
	delete(t testing.TB, s *stack, input map[string]any) (outcome string)
}

// TestParity runs each scenario through GraphQL and through REST: outcomes, codes, fields and what is left in
// the database are the same.
func TestParity(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/parity/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			overGraphQL, overREST := start(t, options{}), start(t, options{})
			for _, one := range scenario(t, file) {
				one.take(t, overGraphQL, graphqlWire{})
				one.take(t, overREST, restWire{})
				for _, table := range []string{"payments", "customers", "payment_deletions", "account_usage"} {
					require.Equal(t, overGraphQL.rows(t, table), overREST.rows(t, table), "after %+v", one)
				}
			}
			require.Equal(t, overGraphQL.totals(t), overREST.totals(t))
		})
	}
}

func scenario(t testing.TB, file string) []step {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // amounts stay as they are written
	decoder.DisallowUnknownFields()
	var steps []step
	require.NoError(t, decoder.Decode(&steps), file)
	return steps
}

// take takes a step over one of the APIs.
func (one step) take(t testing.TB, s *stack, over wire) {
	t.Helper()
	switch {
	case one.Record != nil:
		require.Equal(t, one.Want, over.record(t, s, one.Record), "%T %v", over, one.Record)
	case one.Delete != nil:
		require.Equal(t, one.Want, over.delete(t, s, one.Delete), "%T %v", over, one.Delete)
	case one.Visit != "":
		s.visit(t, one.Visit)
	case one.Forward != "":
		d, err := time.ParseDuration(one.Forward)
		require.NoError(t, err)
		s.clock.forward(d)
	case one.Limit != nil:
		require.NoError(t, s.store.LimitAccount(t.Context(), s.site.AccountID, *one.Limit))
	case one.Suspend != nil:
		require.NoError(t, s.store.SuspendWebsite(t.Context(), s.site.ID, *one.Suspend))
	default:
		t.Fatalf("a step that does nothing: %+v", one)
	}
}

// rows are a table's rows without what differs from one stack to the next: the ids that the server makes.
func (s *stack) rows(t testing.TB, table string) (rows []string) {
	t.Helper()
	result, err := s.sql.QueryContext(t.Context(),
		`SELECT (to_jsonb(r) - 'id' - 'website_id' - 'token_id' - 'account_id')::text || coalesce(to_json(r)->>'metadata', '') AS text
			FROM `+table+` r ORDER BY text`)
	require.NoError(t, err)
	defer result.Close()
	for result.Next() {
		var text string
		require.NoError(t, result.Scan(&text))
		rows = append(rows, text)
	}
	require.NoError(t, result.Err())
	return rows
}

// The scenarios meet every outcome, and every error that both APIs can give to a request that has all of its fields.
func TestParity_isComplete(t *testing.T) {
	t.Parallel()
	missing := map[string]bool{}
	for _, code := range strings.Fields(`RECORDED ATTRIBUTED DUPLICATE REFUNDED
		WEBSITE_SUSPENDED VISITOR_NOT_FOUND PAYMENT_NOT_FOUND INVALID_FIELD CONFLICTING_FIELDS INVALID_AMOUNT AMOUNT_PRECISION
		INVALID_CURRENCY INVALID_TIMESTAMP INVALID_METADATA REFUND_EXCEEDS_CHARGE REFUND_CURRENCY_MISMATCH
		DUPLICATE_TRANSACTION MISSING_FILTER INVALID_RANGE EVENT_LIMIT_REACHED`) {
		missing[code] = true
	}
	files, err := filepath.Glob("testdata/parity/*.json")
	require.NoError(t, err)
	for _, file := range files {
		for _, one := range scenario(t, file) {
			code, _, _ := strings.Cut(one.Want, " ")
			delete(missing, code)
		}
	}
	require.Empty(t, missing)
}
