package e2e_test

import (
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/graph/generated"
	"tributary/model"
	"tributary/openapi"
)

// scopes are what an account token needs for a field or a condition, beyond what leads there.
type scopes []model.Scope

var (
	paymentsRead  = scopes{model.ScopePaymentsRead}
	paymentsWrite = scopes{model.ScopePaymentsWrite}
	analyticsRead = scopes{model.ScopeAnalyticsRead}
	websitesRead  = scopes{model.ScopeWebsitesRead}
)

// guarded are the fields that ask for a scope: all of the root, and those that lead from what a token may see to
// what another scope guards.
var guarded = map[string]scopes{
	"Query.website":          websitesRead,
	"Query.websites":         websitesRead,
	"Query.visitor":          analyticsRead,
	"Query.payments":         paymentsRead,
	"Query.revenue":          analyticsRead,
	"Query.revenueBy":        analyticsRead,
	"Query.revenueByVisitor": analyticsRead,
	"Query.revenueOverTime":  analyticsRead,

	"Mutation.recordPayment":  paymentsWrite,
	"Mutation.recordPayments": paymentsWrite,
	"Mutation.deletePayments": paymentsWrite,
	"Mutation.erasePerson":    paymentsWrite,
	"Mutation.recordVisit":    paymentsWrite,
	"Mutation.recordEvent":    paymentsWrite,

	"Payment.visitor":    analyticsRead,
	"Visitor.firstVisit": analyticsRead,
	"Visitor.lastVisit":  analyticsRead,
	"Visitor.visits":     analyticsRead,
	"Visitor.identity":   analyticsRead,
	"Visitor.events":     analyticsRead,
	"Visitor.revenue":    analyticsRead,
	"Visitor.payments":   paymentsRead,
	"Visitor.journey":    {model.ScopeAnalyticsRead, model.ScopePaymentsRead},
}

// visitConditions are the conditions of a filter that are about visits.
const visitConditions = "source channel referrer utmSource utmMedium utmCampaign utmTerm utmContent landingPage country device browser os"

// guardedInputs are the fields of inputs that ask for a scope.
var guardedInputs = map[string]scopes{}

func init() {
	for condition := range strings.FieldsSeq(visitConditions) {
		guardedInputs["PaymentFilter."+condition] = analyticsRead
	}
}

// free are all other fields of objects and inputs: who may have the object may have them.
var free = map[string]string{
	"PageInfo":   "hasNextPage hasPreviousPage startCursor endCursor",
	"Money":      "amount currency",
	"Website":    "id trackingId domain name timezone currency suspended createdAt",
	"TimeRange":  "from to",
	"Conversion": "rate date source paidPerEuro reportingPerEuro",

	"Visitor":         "id seen firstSeenAt lastSeenAt visitCount",
	"Visit":           "id startedAt landingPage referrer source channel utmSource utmMedium utmCampaign utmTerm utmContent country device browser os pageviews",
	"VisitConnection": "edges pageInfo",
	"VisitEdge":       "cursor node",

	"Identity":          "userId name image",
	"Event":             "id type name page link properties occurredAt visitId",
	"EventConnection":   "edges pageInfo",
	"EventEdge":         "cursor node",
	"JourneyConnection": "edges pageInfo",
	"JourneyEdge":       "cursor node",

	"Payment": "id transactionId kind renewal amount reportingAmount conversion occurredAt recordedAt visitorId sessionId customerId " +
		"email name refundOf metadata attribution erased",
	"PaymentConnection": "edges pageInfo",
	"PaymentEdge":       "cursor node",
	"PaymentError":      "code field fields message",
	"PaymentFilter":     "range visitorId customerId transactionId kinds attributed model windowDays",

	"Revenue":                  "gross refunded net new renewal charges renewals refunds freeTrials byCurrency unconverted",
	"CurrencyRevenue":          "currency gross refunded net",
	"RevenueBucket":            "start date revenue",
	"RevenueFilter":            visitConditions + " model windowDays",
	"RevenueGroup":             "key revenue visitors payers share revenuePerVisitor conversionRate",
	"RevenueGroupConnection":   "edges pageInfo unattributed",
	"RevenueGroupEdge":         "cursor node",
	"VisitorRevenue":           "visitor revenue firstPaymentAt lastPaymentAt",
	"VisitorRevenueConnection": "edges pageInfo",
	"VisitorRevenueEdge":       "cursor node",
	"VisitorRevenueFilter":     visitConditions + " model windowDays visitorIds minNet campaign",
	"VisitorRevenueOrder":      "field direction",

	"RecordPaymentInput": "websiteId transactionId amount currency visitorId sessionId customerId email name renewal refunded freeTrial " +
		"refundOf occurredAt metadata requireVisitor rejectDuplicate",
	"RecordPaymentPayload":  "payment outcome differences",
	"RecordPaymentsInput":   "websiteId payments",
	"RecordPaymentsPayload": "results",
	"RecordPaymentResult":   "payload error",
	"DeletePaymentsInput":   "websiteId transactionId visitorId from to dryRun",
	"DeletePaymentsPayload": "deletedCount dryRun revenue",
	"ErasePersonInput":      "websiteId email customerId visitorId only dryRun",
	"ErasePersonPayload":    "id dryRun emails customerIds visitorIds payments othersPayments visits events unproven",
	"RecordVisitInput":      "websiteId visitorId sessionId url referrer occurredAt userAgent country adClickIds",
	"RecordVisitPayload":    "visit visitor",
	"RecordEventInput":      "websiteId visitorId sessionId type url name link userId image customerId email properties occurredAt",
	"RecordEventPayload":    "event visitor",
}

// ofAccount are the fields of the root that are about all websites of a token, and so name none.
var ofAccount = []string{"Query.websites"}

// restClass is what an operation of the REST API asks for.
type restClass struct {
	scopes scopes // nil for an operation without a token
	sends  []restSend
}

// restSend is a request, in one of the ways that an operation knows.
type restSend struct{ name, query, body string }

// restClasses are the operations by their operationId. ID- begins the ids of a website's own.
var restClasses = map[string]restClass{
	"recordPayment": {paymentsWrite, []restSend{
		{"DataFast", "", `{"amount": 5, "currency": "USD", "transaction_id": "ID-p1", "datafast_visitor_id": "ID-v1"}`},
		{"DataFast, new", "", `{"amount": 5, "currency": "USD", "transaction_id": "ID-new", "customer_id": "ID-c1", "email": "ID-1@example.com"}`},
		{"Faurya", "", `{"amount": 5, "transaction_id": "ID-f1", "faurya_visitor_id": "ID-v1"}`},
	}},
	"deletePayments": {paymentsWrite, []restSend{
		{"by transaction", "tx_id=ID-p1", ""},
		{"by visitor", "datafast_visitor_id=ID-v1", ""},
		{"by range", "startAt=2000-01-01&endAt=2027-01-01", ""},
		{"Faurya's", "", `{"transaction_id": "ID-p2"}`},
		{"Faurya's by visitor", "", `{"faurya_visitor_id": "ID-v1"}`},
		{"Faurya's by range", "", `{"startAt": "2000-01-01"}`},
	}},
	"trackEvent":          {sends: []restSend{{body: `{"websiteId": "dfid_000000000000", "visitorId": "v", "sessionId": "s", "href": "https://shop.example/", "type": "pageview"}`}}},
	"preflightTrackEvent": {sends: []restSend{{}}},
	"getHealth":           {sends: []restSend{{}}},
	"getReadiness":        {sends: []restSend{{}}},
}

func graphqlSchema() *ast.Schema { return generated.NewExecutableSchema(generated.Config{}).Schema() }

// TestAccess_classified fails for a field or an operation of which nobody has said who may have it.
func TestAccess_classified(t *testing.T) {
	t.Parallel()
	unused := map[string]bool{}
	for path := range guarded {
		unused[path] = true
	}
	for path := range guardedInputs {
		unused[path] = true
	}
	for name, fields := range free {
		for field := range strings.FieldsSeq(fields) {
			require.NotContains(t, unused, name+"."+field, "is classified twice")
			unused[name+"."+field] = true
		}
	}
	for name, def := range graphqlSchema().Types {
		if strings.HasPrefix(name, "__") || def.Kind != ast.Object && def.Kind != ast.InputObject && def.Kind != ast.Interface {
			continue
		}
		for _, field := range def.Fields {
			if path := name + "." + field.Name; !strings.HasPrefix(field.Name, "__") {
				require.Contains(t, unused, path, "say in access_classes_test.go which scope it needs, or that whoever has the object may have it")
				delete(unused, path)
			}
		}
	}
	require.Empty(t, unused, "is classified, and not in the schema")

	operations := restOperations(t)
	for id, op := range operations {
		require.Contains(t, restClasses, id, "say in access_classes_test.go which scope it needs")
		needsNone := op.Security != nil && len(*op.Security) == 0
		require.Equal(t, needsNone, restClasses[id].scopes == nil, "%s: the contract says otherwise", id)
	}
	require.Len(t, restClasses, len(operations))
}

// restOperation is an operation of the contract with its place.
type restOperation struct {
	*openapi3.Operation
	method, path string
}

// restOperations are the operations of the contract by their ids.
func restOperations(t testing.TB) map[string]restOperation {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openapi.YAML)
	require.NoError(t, err)
	operations := map[string]restOperation{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			operations[op.OperationID] = restOperation{op, method, path}
		}
	}
	require.NotEmpty(t, operations)
	return operations
}
