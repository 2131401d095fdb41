package e2e_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// graphqlAnswer is what came back for a GraphQL operation.
type graphqlAnswer struct {
	Data   json.RawMessage
	Errors []struct {
		Message    string
		Extensions struct {
			Code      string
			Field     string
			RequestID string
		}
	}
}

// graphqlAs runs an operation with a token.
func (s *stack) graphqlAs(t testing.TB, token, query string, variables map[string]any) graphqlAnswer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(t, err)
	r := s.request(t, http.MethodPost, "/graphql", string(body))
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	got := received(t, res)
	require.NotEmpty(t, got.header.Get("X-Request-Id"))
	var parsed graphqlAnswer
	require.NoError(t, json.Unmarshal([]byte(got.body), &parsed), got.body)
	for _, e := range parsed.Errors {
		require.Equal(t, got.header.Get("X-Request-Id"), e.Extensions.RequestID, got.body)
	}
	return parsed
}

// graphql runs an operation that must succeed with the website's key, and decodes its data.
func (s *stack) graphql(t testing.TB, query string, variables map[string]any, data any) {
	t.Helper()
	got := s.graphqlAs(t, s.key, query, variables)
	require.Empty(t, got.Errors)
	if data != nil {
		require.NoError(t, json.Unmarshal(got.Data, data))
	}
}

// visit lets the website see a visitor.
func (s *stack) visit(t testing.TB, visitor string) {
	t.Helper()
	s.graphql(t, `mutation($id: ID!) { recordVisit(input: {visitorId: $id, url: "https://shop.example/?utm_source=letter"}) { visitor { seen } } }`,
		map[string]any{"id": visitor}, nil)
}

// revenue are the website's totals in its reporting currency.
type revenue struct {
	Gross, Refunded, Net                   string
	Charges, Renewals, Refunds, FreeTrials int
}

// totals asks for the revenue of all time.
func (s *stack) totals(t testing.TB) revenue {
	t.Helper()
	type money struct{ Amount model.Decimal }
	var data struct {
		Revenue struct {
			Gross, Refunded, Net                   money
			Charges, Renewals, Refunds, FreeTrials int
		}
	}
	s.graphql(t, `{ revenue { gross { amount } refunded { amount } net { amount } charges renewals refunds freeTrials } }`, nil, &data)
	r := data.Revenue
	return revenue{
		string(r.Gross.Amount), string(r.Refunded.Amount), string(r.Net.Amount),
		r.Charges, r.Renewals, r.Refunds, r.FreeTrials,
	}
}
