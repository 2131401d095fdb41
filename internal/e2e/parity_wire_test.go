package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/openapi"
)

// graphqlWire takes the steps of a scenario over GraphQL.
type graphqlWire struct{}

func (graphqlWire) record(t testing.TB, s *stack, input map[string]any) string {
	t.Helper()
	got := s.graphqlAs(t, s.key, `mutation($input: RecordPaymentInput!) { recordPayment(input: $input) { outcome differences } }`,
		map[string]any{"input": input})
	var data struct {
		RecordPayment struct {
			Outcome     string
			Differences []string
		}
	}
	return got.outcome(t, &data, func() string {
		return words(append([]string{data.RecordPayment.Outcome}, data.RecordPayment.Differences...)...)
	})
}

func (graphqlWire) delete(t testing.TB, s *stack, input map[string]any) string {
	t.Helper()
	got := s.graphqlAs(t, s.key, `mutation($input: DeletePaymentsInput!) { deletePayments(input: $input) { deletedCount } }`,
		map[string]any{"input": input})
	var data struct{ DeletePayments struct{ DeletedCount int } }
	return got.outcome(t, &data, func() string { return fmt.Sprintf("%d deleted", data.DeletePayments.DeletedCount) })
}

// outcome is what an operation without errors did, else the code and field of its error.
func (a graphqlAnswer) outcome(t testing.TB, data any, done func() string) string {
	t.Helper()
	if len(a.Errors) > 0 {
		return words(a.Errors[0].Extensions.Code, a.Errors[0].Extensions.Field)
	}
	require.NoError(t, json.Unmarshal(a.Data, data))
	return done()
}

// recordTogether records payments in one request, and answers what became of each as a wire does.
func (s *stack) recordTogether(t testing.TB, inputs []map[string]any) (outcomes []string) {
	t.Helper()
	var data struct {
		RecordPayments struct {
			Results []struct {
				Payload *struct {
					Outcome     string
					Differences []string
				}
				Error *struct{ Code, Field string }
			}
		}
	}
	s.graphql(t, `mutation($input: RecordPaymentsInput!) { recordPayments(input: $input) { results { payload { outcome differences } error { code field } } } }`,
		map[string]any{"input": map[string]any{"payments": inputs}}, &data)
	for _, result := range data.RecordPayments.Results {
		if result.Error != nil {
			outcomes = append(outcomes, words(result.Error.Code, result.Error.Field))
		} else {
			outcomes = append(outcomes, words(append([]string{result.Payload.Outcome}, result.Payload.Differences...)...))
		}
	}
	return outcomes
}

// restWire takes the steps of a scenario over REST: over Faurya's dialect if a payment has Faurya's
// rules, else over DataFast's.
type restWire struct{}

// The names of GraphQL's input fields in each dialect; a field that is missing has the same name. An
// empty name means that the dialect goes without the field.
var (
	dataFastFields = map[string]string{
		"transactionId": "transaction_id", "visitorId": "datafast_visitor_id", "sessionId": "datafast_session_id",
		"customerId": "customer_id", "freeTrial": "is_free_trial", "refundOf": "refund_of", "occurredAt": "timestamp",
		"from": "startAt", "to": "endAt",
	}
	fauryaFields = map[string]string{
		"transactionId": "transaction_id", "visitorId": "faurya_visitor_id", "sessionId": "faurya_session_id",
		"currency": "", "requireVisitor": "", "rejectDuplicate": "",
	}
)

// outcomes are those of the documented messages.
var outcomes = map[string]string{
	"Payment recorded successfully":                "RECORDED",
	"Payment recorded and attributed successfully": "ATTRIBUTED",
	"Payment already recorded":                     "DUPLICATE",
	"Refund recorded successfully":                 "REFUNDED",
	"Refund recorded and attributed successfully":  "REFUNDED",
}

func (restWire) record(t testing.TB, s *stack, input map[string]any) string {
	t.Helper()
	fields := dataFastFields
	faurya := input["requireVisitor"] == true && input["rejectDuplicate"] == true
	if faurya {
		fields = fauryaFields
	}
	body := map[string]any{}
	for name, value := range input {
		if name = renamed(fields, name); name != "" {
			body[name] = value
		}
	}
	text, err := json.Marshal(body)
	require.NoError(t, err)
	got := s.post(t, string(text))
	if got.status != http.StatusOK {
		return got.failure(t, fields)
	}
	var result openapi.RecordPaymentResult
	require.NoError(t, json.Unmarshal([]byte(got.body), &result))
	require.Nil(t, result.IgnoredFields)
	message, differing, _ := strings.Cut(result.Message, ", and nothing was changed; this request differs in ")
	if faurya {
		require.Equal(t, "Payment recorded successfully", message)
		return "ATTRIBUTED" // since the visitor had to be known
	}
	outcome := []string{outcomes[message]}
	for _, name := range strings.Split(differing, ", ") {
		outcome = append(outcome, original(fields, name))
	}
	return words(outcome...)
}

func (restWire) delete(t testing.TB, s *stack, input map[string]any) string {
	t.Helper()
	query := url.Values{}
	for name, value := range input {
		text := value.(string)
		if name == "to" { // is in the range here, and after it in GraphQL
			end, err := time.Parse(time.RFC3339Nano, text)
			require.NoError(t, err)
			text = end.Add(-time.Microsecond).Format("2006-01-02T15:04:05.000000Z07:00")
		}
		query.Set(renamed(dataFastFields, name), text)
	}
	got := s.delete(t, "?"+query.Encode(), "")
	if got.status != http.StatusOK {
		return got.failure(t, dataFastFields)
	}
	var result openapi.DataFastDeletePaymentsResult
	require.NoError(t, json.Unmarshal([]byte(got.body), &result))
	return fmt.Sprintf("%d deleted", result.Data[0].Deleted)
}

// failure is the error of an answer as GraphQL names its code and field.
func (a answer) failure(t testing.TB, fields map[string]string) string {
	t.Helper()
	var envelope openapi.ErrorResponse
	require.NoError(t, json.Unmarshal([]byte(a.body), &envelope), a.body)
	field := ""
	if envelope.Error.Field != nil {
		field = original(fields, *envelope.Error.Field)
	}
	return words(strings.ToUpper(string(envelope.Error.Reason)), field)
}

func renamed(fields map[string]string, name string) string {
	if other, ok := fields[name]; ok {
		return other
	}
	return name
}

func original(fields map[string]string, name string) string {
	for original, other := range fields {
		if other == name && name != "" {
			return original
		}
	}
	return name
}

// words joins what is not empty.
func words(all ...string) string { return strings.Join(strings.Fields(strings.Join(all, " ")), " ") }
