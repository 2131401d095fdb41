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
		RevenueBy                  groups
		First, Last, Shared        groups
		Visitor                    struct {
			Journey struct {
				Edges []struct {
					Node struct {
						Typename string `json:"__typename"`
					}
				}
			}
		}
		Revenue         struct{ Charges int }
		RevenueOverTime []struct {
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

// groups is revenue by a dimension.
type groups struct {
	Edges []struct {
		Node struct {
			Key     string
			Revenue revenue
			Payers  int
		}
	}
	Unattributed revenue
}

type revenue struct{ Net struct{ Amount string } }

// total is the net revenue of all groups and what is unattributed, in cents.
func (g groups) total(t *testing.T) model.Sum {
	t.Helper()
	total := model.NewSum("USD")
	add := func(r revenue) {
		part, err := model.ParseSum(strings.Replace(r.Net.Amount, ".", "", 1), "USD")
		require.NoError(t, err)
		total = total.Add(part)
	}
	add(g.Unattributed)
	for _, edge := range g.Edges {
		add(edge.Node.Revenue)
	}
	return total
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

	models := run(demo.Operation{Query: demo.Operations()[1].Query, Variables: `{"first": 100}`}).Data
	answers := map[string]answer{}
	for _, op := range demo.Operations() {
		require.True(t, strings.HasPrefix(op.Query, "# "), "%s begins with a comment", op.Name)
		for line := range strings.Lines(op.Query) {
			require.False(t, strings.HasPrefix(line, "#") && len(line) > 52, "the editor is too narrow for %q", line)
		}
		answers[op.Name] = run(op)
	}
	require.Len(t, answers, 10)
	bySource := answers["RevenueBySource"].Data.RevenueBy
	require.Greater(t, len(bySource.Edges), 8)
	require.Positive(t, bySource.Edges[0].Node.Payers)
	best := answers["FirstAgainstLastTouch"].Data
	require.Len(t, best.First.Edges, 4)
	require.NotEqual(t, best.First.Edges, best.Last.Edges)
	require.Greater(t, len(models.First.Edges), 4)
	for _, g := range []groups{models.First, models.Last, models.Shared} {
		require.Equal(t, bySource.total(t), g.total(t), "all add up to the same")
	}
	var steps []string
	for _, edge := range answers["VisitorJourney"].Data.Visitor.Journey.Edges {
		steps = append(steps, edge.Node.Typename)
	}
	require.Greater(t, len(steps), 5)
	require.Contains(t, steps, "Payment")
	require.Equal(t, "Visit", steps[0])
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
