package demo_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/graph"
	"tributary/internal/demo"
	"tributary/model"
)

// answer is what the tests look at in the answers of the operations.
type answer struct {
	Errors []any
	Data   struct {
		RevenueByVisitor, Payments struct{ Edges []any }
		Revenue                    struct{ Charges int }
		RevenueOverTime            []struct {
			Date    string
			Revenue struct{ Charges int }
		}
		RecordPayment struct {
			Outcome string
			Payment struct {
				Attribution string
				Visitor     struct {
					FirstVisit *struct{ Source string }
				}
			}
		}
		DeletePayments struct {
			DryRun       bool
			DeletedCount int
		}
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	site, _ := b.seed(now)
	handler := graph.NewHandler(b.resolver)
	run := func(op demo.Operation) answer {
		variables := json.RawMessage("null")
		if op.Variables != "" {
			variables = json.RawMessage(op.Variables)
		}
		body, err := json.Marshal(map[string]any{"query": op.Query, "variables": variables, "operationName": op.Name})
		require.NoError(t, err, op.Name)
		request := httptest.NewRequest("POST", "/graphql", strings.NewReader(string(body)))
		request.Header.Set("Content-Type", "application/json")
		request = request.WithContext(model.WithPrincipal(t.Context(), &model.Principal{AccountID: site.AccountID, WebsiteID: site.ID}))
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, request)
		var got answer
		require.NoError(t, json.Unmarshal(response.Body.Bytes(), &got), op.Name)
		require.Empty(t, got.Errors, op.Name)
		return got
	}

	answers := map[string]answer{}
	for _, op := range demo.Operations() {
		require.True(t, strings.HasPrefix(op.Query, "# "), "%s begins with a comment", op.Name)
		answers[op.Name] = run(op)
	}
	require.Len(t, answers, 7)
	require.Len(t, answers["TopVisitors"].Data.RevenueByVisitor.Edges, 5)
	require.Positive(t, answers["Revenue"].Data.Revenue.Charges)
	days, charges := answers["RevenueByDay"].Data.RevenueOverTime, 0
	for _, day := range days {
		charges += day.Revenue.Charges
	}
	require.Greater(t, len(days), 100)
	require.Equal(t, now.Format(time.DateOnly), days[len(days)-1].Date)
	require.Equal(t, answers["Revenue"].Data.Revenue.Charges, charges, "the days add up")
	require.Len(t, answers["LatestPayments"].Data.Payments.Edges, 20)

	recorded := answers["RecordPayment"].Data.RecordPayment
	require.Equal(t, "ATTRIBUTED", recorded.Outcome, "the visitor is one of the demo's")
	require.NotNil(t, recorded.Payment.Visitor.FirstVisit)
	refunded := answers["RefundPayment"].Data.RecordPayment
	require.Equal(t, "REFUNDED", refunded.Outcome)
	require.Equal(t, "REFUNDED_PAYMENT", refunded.Payment.Attribution)

	counted := answers["CountPaymentsToDelete"].Data.DeletePayments
	require.True(t, counted.DryRun)
	require.Greater(t, counted.DeletedCount, 3, "the visitor has payments of the demo too")

	data := b.data()
	for _, op := range demo.Operations() {
		run(op)
	}
	require.Equal(t, data, b.data(), "to run them again changes nothing")
}
