package graph_test

import (
	"fmt"
	"maps"
)

// The operations that most tests are made of.

const recordPayment = `mutation ($input: RecordPaymentInput!) {
	recordPayment(input: $input) {
		outcome differences
		payment {
			id transactionId kind renewal amount { amount currency } reportingAmount { amount currency } occurredAt recordedAt
			visitorId sessionId customerId email name refundOf metadata attribution
		}
	}
}`

// payment is the input of a payment of 10.00 USD, with some fields otherwise.
func payment(id string, fields vars) vars {
	input := vars{"transactionId": id, "amount": "10", "currency": "USD"}
	maps.Copy(input, fields)
	return vars{"input": input}
}

// pay records a payment, which must succeed.
func (b *bundle) pay(id string, fields vars) node {
	b.t.Helper()
	return node{b.ask(recordPayment, payment(id, fields)).at("recordPayment")}
}

// refund records a refund of a charge.
func (b *bundle) refund(id, charge string, fields vars) node {
	b.t.Helper()
	all := vars{"refunded": true, "refundOf": charge}
	maps.Copy(all, fields)
	return b.pay(id, all)
}

// refusedPayment records a payment that must be refused.
func (b *bundle) refusedPayment(id string, fields vars) fault {
	b.t.Helper()
	return b.refused(recordPayment, payment(id, fields))
}

const recordVisit = `mutation ($input: RecordVisitInput!) {
	recordVisit(input: $input) {
		visit {
			id startedAt landingPage referrer source channel utmSource utmMedium utmCampaign utmTerm utmContent
			country device browser os pageviews
		}
		visitor { id seen visitCount firstSeenAt lastSeenAt firstVisit { id } lastVisit { id } }
	}
}`

// visit records a pageview.
func (b *bundle) visit(visitor string, fields vars) node {
	b.t.Helper()
	input := vars{"visitorId": visitor, "url": "https://shop.example/"}
	maps.Copy(input, fields)
	return node{b.ask(recordVisit, vars{"input": input}).at("recordVisit")}
}

const deletePayments = `mutation ($input: DeletePaymentsInput!) {
	deletePayments(input: $input) { deletedCount dryRun revenue { net { amount } } }
}`

const revenueFields = `{ gross { amount currency } refunded { amount } net { amount } new { amount } renewal { amount }
	charges renewals refunds freeTrials
	byCurrency { currency gross { amount currency } refunded { amount } net { amount } } unconverted { amount currency } }`

// totals is the website's revenue in short: gross, refunded, net and the four counts.
func (b *bundle) totals() string {
	b.t.Helper()
	r := node{b.ask(`{ revenue `+revenueFields+` }`, nil).at("revenue")}
	return fmt.Sprint(r.at("gross.amount"), " − ", r.at("refunded.amount"), " = ", r.at("net.amount"), ": ",
		r.at("charges"), " charges, ", r.at("renewals"), " renewals, ", r.at("refunds"), " refunds, ", r.at("freeTrials"), " trials")
}

// bases tells why each payment is credited to whom, by transaction id.
func (b *bundle) bases() map[string]string {
	b.t.Helper()
	data := b.ask(`{ payments(first: 100) { edges { node { transactionId visitorId attribution } } } }`, nil)
	bases := map[string]string{}
	for _, edge := range data.at("payments.edges").([]any) {
		p := node{edge}
		text := fmt.Sprint(p.at("node.attribution"))
		if visitor := p.at("node.visitorId"); visitor != nil {
			text += fmt.Sprint(" ", visitor)
		}
		bases[fmt.Sprint(p.at("node.transactionId"))] = text
	}
	return bases
}
