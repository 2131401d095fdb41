package graph_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"tributary/graph/generated"
	"tributary/model"
)

// operations are all root fields: a query of each that names the website by $site, and the scope it
// needs. A field that is missing here fails the test.
var operations = map[string]struct {
	query string
	scope model.Scope
}{
	"Query.website":          {`query ($site: ID) { website(id: $site) { id } }`, model.ScopeWebsitesRead},
	"Query.websites":         {`query { websites { id } }`, model.ScopeWebsitesRead},
	"Query.visitor":          {`query ($site: ID) { visitor(websiteId: $site, id: "v") { id } }`, model.ScopeAnalyticsRead},
	"Query.payments":         {`query ($site: ID) { payments(websiteId: $site) { edges { node { id } } } }`, model.ScopePaymentsRead},
	"Query.revenue":          {`query ($site: ID) { revenue(websiteId: $site) { charges } }`, model.ScopeAnalyticsRead},
	"Query.revenueBy":        {`query ($site: ID) { revenueBy(websiteId: $site, dimension: SOURCE) { edges { node { key } } } }`, model.ScopeAnalyticsRead},
	"Query.revenueByVisitor": {`query ($site: ID) { revenueByVisitor(websiteId: $site) { edges { node { visitor { id } } } } }`, model.ScopeAnalyticsRead},
	"Query.revenueOverTime":  {`query ($site: ID) { revenueOverTime(websiteId: $site, range: {}) { start } }`, model.ScopeAnalyticsRead},
	"Mutation.recordPayment": {
		`mutation ($site: ID) { recordPayment(input: {websiteId: $site, transactionId: "t", amount: 1, currency: "USD"}) { outcome } }`, model.ScopePaymentsWrite,
	},
	"Mutation.recordPayments": {
		`mutation ($site: ID) { recordPayments(input: {websiteId: $site, payments: [{transactionId: "t", amount: 1, currency: "USD"}]}) {
			results { payload { outcome } } } }`, model.ScopePaymentsWrite,
	},
	"Mutation.deletePayments": {`mutation ($site: ID) { deletePayments(input: {websiteId: $site, visitorId: "v"}) { deletedCount } }`, model.ScopePaymentsWrite},
	"Mutation.erasePerson":    {`mutation ($site: ID) { erasePerson(input: {websiteId: $site, visitorId: "w"}) { payments } }`, model.ScopePaymentsWrite},
	"Mutation.recordVisit": {
		`mutation ($site: ID) { recordVisit(input: {websiteId: $site, visitorId: "w", url: "https://shop.example/"}) { visit { id } } }`, model.ScopePaymentsWrite,
	},
	"Mutation.recordEvent": {
		`mutation ($site: ID) { recordEvent(input: {websiteId: $site, visitorId: "w", type: CUSTOM, name: "n", url: "https://shop.example/"}) { event { id } } }`, model.ScopePaymentsWrite,
	},
}

// scopedFields are the fields below the root that lead to other entities, and the scope that each
// needs beyond that of the root; "" for none. A field that is missing here fails the test.
var scopedFields = map[string]model.Scope{
	"Payment.visitor":    model.ScopeAnalyticsRead,
	"Visitor.firstVisit": model.ScopeAnalyticsRead,
	"Visitor.lastVisit":  model.ScopeAnalyticsRead,
	"Visitor.visits":     model.ScopeAnalyticsRead,
	"Visitor.revenue":    model.ScopeAnalyticsRead,
	"Visitor.identity":   model.ScopeAnalyticsRead,
	"Visitor.events":     model.ScopeAnalyticsRead,
	"Visitor.journey":    model.ScopePaymentsRead, // besides ScopeAnalyticsRead
	"Visitor.payments":   model.ScopePaymentsRead,

	"EventEdge.node":                      "", // of a list that needed it
	"JourneyEdge.node":                    "", // of a list that needed it
	"RecordEventPayload.event":            "", // what the caller sent
	"RecordEventPayload.visitor":          "", // whose fields need more
	"DeletePaymentsPayload.revenue":       "", // of what the caller deletes
	"PaymentEdge.node":                    "", // of a list that needed it
	"RecordPaymentPayload.payment":        "", // what the caller sent
	"RecordVisitPayload.visit":            "", // what the caller sent
	"RecordVisitPayload.visitor":          "", // whose fields need more
	"RevenueBucket.revenue":               "", // of a list that needed it
	"VisitEdge.node":                      "", // of a list that needed it
	"VisitorRevenue.revenue":              "", // of a list that needed it
	"VisitorRevenue.visitor":              "", // of a list that needed it
	"VisitorRevenueEdge.node":             "", // of a list that needed it
	"RevenueGroup.revenue":                "", // of a list that needed it
	"RevenueGroupConnection.unattributed": "", // of a list that needed it
}

func schema() *ast.Schema { return generated.NewExecutableSchema(generated.Config{}).Schema() }

func TestAuthorization_everyFieldIsClassified(t *testing.T) {
	t.Parallel()
	entities := []string{"Payment", "Visitor", "Visit", "Event", "Identity", "JourneyStep", "EventConnection", "JourneyConnection", "Revenue", "VisitorRevenue", "Website", "PaymentConnection", "VisitConnection", "VisitorRevenueConnection"}
	for name, def := range schema().Types {
		if def.Kind != ast.Object || strings.HasPrefix(name, "__") {
			continue
		}
		for _, field := range def.Fields {
			path := name + "." + field.Name
			switch {
			case strings.HasPrefix(field.Name, "__"):
			case name == "Query" || name == "Mutation" || name == "Subscription":
				require.Contains(t, operations, path, "say in operations which scope the field needs")
			case slices.Contains(entities, field.Type.Name()):
				require.Contains(t, scopedFields, path, "say in scopedFields which scope the field needs")
			}
		}
	}
}
