package model

import (
	"slices"
	"time"
)

// PaymentKind is what a payment is.
type PaymentKind string

// The kinds of payments.
const (
	KindCharge    PaymentKind = "CHARGE"
	KindRenewal   PaymentKind = "RENEWAL"    // a recurring charge
	KindFreeTrial PaymentKind = "FREE_TRIAL" // brings no revenue, whatever its amount
	KindRefund    PaymentKind = "REFUND"     // takes revenue back; its amount is positive
)

var paymentKinds = []PaymentKind{KindCharge, KindRenewal, KindFreeTrial, KindRefund}

// AttributionBasis says why a payment is credited to its visitor.
type AttributionBasis string

// The bases of attribution, in the order in which they are tried.
const (
	BasisVisitorID       AttributionBasis = "VISITOR_ID"
	BasisRefundedPayment AttributionBasis = "REFUNDED_PAYMENT"
	BasisCustomerID      AttributionBasis = "CUSTOMER_ID"
	BasisEmail           AttributionBasis = "EMAIL"
	BasisNone            AttributionBasis = "NONE"
)

// RecordOutcome says what happened to a payment that was sent.
type RecordOutcome string

// The outcomes of recording a payment.
const (
	OutcomeRecorded   RecordOutcome = "RECORDED"   // no known visitor
	OutcomeAttributed RecordOutcome = "ATTRIBUTED" // credited to a known visitor
	OutcomeDuplicate  RecordOutcome = "DUPLICATE"  // recorded before; nothing changed
	OutcomeRefunded   RecordOutcome = "REFUNDED"   // a refund was recorded
)

// Payment is one entry of a website's ledger. Its money never changes.
type Payment struct {
	WebsiteID     string
	ID            string
	TransactionID string
	Kind          PaymentKind
	Renewal       bool
	Amount        Money  // as sent; positive for refunds too
	Reporting     *Money // in the reporting currency; nil when no rate is known
	// Conversion says how Reporting was computed; nil when it is nil, or was paid in that currency.
	Conversion *Conversion
	OccurredAt time.Time
	RecordedAt time.Time
	// VisitorID is the visitor the payment is credited to, or will be once that visitor is seen.
	VisitorID *string
	// Basis says how VisitorID was found, whether or not that visitor has been seen.
	Basis AttributionBasis
	// VisitorSeen says whether the website has seen a visit of VisitorID.
	VisitorSeen bool
	SessionID   *string
	CustomerID  *string
	Email       *string
	Name        *string
	RefundOf    *string // as sent
	Metadata    Metadata
	// Erased says that whoever paid was forgotten: nothing that identifies is kept, nor will be.
	Erased bool
}

// Erase takes away all that identifies whoever paid.
func (p *Payment) Erase() {
	p.VisitorID, p.Basis, p.VisitorSeen = nil, BasisNone, false
	p.SessionID, p.CustomerID, p.Email, p.Name, p.Metadata = nil, nil, nil, nil, nil
	p.Erased = true
}

// Attribution says why the payment is credited to its visitor: BasisNone until that visitor is seen.
func (p *Payment) Attribution() AttributionBasis {
	if p.VisitorSeen {
		return p.Basis
	}
	return BasisNone
}

// IsRefund says whether the entry takes revenue back.
func (p *Payment) IsRefund() bool { return p.Kind == KindRefund }

// ChargeID is the transaction id of the charge that a refund takes back, and of a charge itself.
func (p *Payment) ChargeID() string {
	if p.IsRefund() && p.RefundOf != nil {
		return *p.RefundOf
	}
	return p.TransactionID
}

// RecordPaymentInput is a payment as a client sends it.
type RecordPaymentInput struct {
	WebsiteID       *string
	TransactionID   string
	Amount          Decimal  // major units
	Currency        Currency // "" means the website's reporting currency
	VisitorID       *string
	SessionID       *string
	CustomerID      *string
	Email           *string
	Name            *string
	Renewal         *bool
	Refunded        *bool
	FreeTrial       *bool
	RefundOf        *string
	OccurredAt      *Timestamp
	Metadata        Metadata
	RequireVisitor  *bool // an unknown visitor is CodeVisitorNotFound
	RejectDuplicate *bool // a duplicate is CodeDuplicateTransaction
	// Faults are those found while the input was read; Validate reports them with its own.
	Faults Faults
}

// NewPayment is a payment that has been checked and is ready to be recorded.
type NewPayment struct {
	Payment
	// TimeGiven says whether the client sent the time, so that a retry without one is no difference.
	TimeGiven       bool
	RequireVisitor  bool
	RejectDuplicate bool
}

// Validate checks the input against the rules of the website and completes it. All faults are
// reported together. The time of the request, now, stands in for a missing one.
func (in RecordPaymentInput) Validate(site Website, now time.Time) (NewPayment, error) {
	faults := slices.Clone(in.Faults)
	p := NewPayment{
		Payment: Payment{
			WebsiteID: site.ID, TransactionID: in.TransactionID, Renewal: isTrue(in.Renewal),
			OccurredAt: now, RecordedAt: now, VisitorID: in.VisitorID, Basis: BasisNone, SessionID: in.SessionID,
			CustomerID: in.CustomerID, Email: in.Email, Name: in.Name, RefundOf: in.RefundOf, Metadata: in.Metadata,
		},
		RequireVisitor:  isTrue(in.RequireVisitor),
		RejectDuplicate: isTrue(in.RejectDuplicate),
	}
	faults.Add("transactionId", CheckID(in.TransactionID))
	p.Amount = in.money(site, &faults)
	p.Kind = in.kind(p.Amount, &faults)
	faults.addID("visitorId", in.VisitorID)
	faults.addID("sessionId", in.SessionID)
	faults.addID("customerId", in.CustomerID)
	faults.addID("refundOf", in.RefundOf)
	if in.Email != nil {
		faults.Add("email", CheckEmail(*in.Email))
	}
	if in.Name != nil {
		faults.Add("name", CheckName(*in.Name))
	}
	if in.RefundOf != nil && !isTrue(in.Refunded) {
		faults.Add("refundOf", Errorf(CodeConflictingFields, "", "only a refund can name the charge that it takes back"))
	}
	if in.OccurredAt != nil {
		p.OccurredAt, p.TimeGiven = in.OccurredAt.In(site.Location()), true
		faults.Add("occurredAt", CheckOccurredAt(p.OccurredAt, now))
	}
	faults.Add("metadata", in.Metadata.Validate())
	if p.VisitorID != nil {
		p.Basis = BasisVisitorID
	}
	return p, faults.Err()
}

func (in RecordPaymentInput) money(site Website, faults *Faults) Money {
	currency := site.Currency
	if in.Currency != "" {
		var err error
		currency, err = ParseCurrency(string(in.Currency))
		if err != nil {
			faults.Add("currency", err)
			if _, err := ParseDecimal(string(in.Amount)); err != nil {
				faults.Add("amount", err)
			}
			return Money{}
		}
	}
	money, err := NewMoney(in.Amount, currency)
	faults.Add("amount", err)
	return money
}

// kind decides what the payment is. An amount of zero that is no refund makes a free trial.
func (in RecordPaymentInput) kind(amount Money, faults *Faults) PaymentKind {
	trial, refunded := isTrue(in.FreeTrial), isTrue(in.Refunded)
	zero := amount.Currency != "" && amount.Minor == 0
	switch {
	case trial && refunded:
		faults.Add("freeTrial", Errorf(CodeConflictingFields, "", "a free trial cannot be refunded"))
	case refunded && zero:
		faults.Add("amount", Errorf(CodeInvalidAmount, "", "a refund needs an amount above zero"))
	}
	switch {
	case refunded:
		return KindRefund
	case trial || zero:
		return KindFreeTrial
	case isTrue(in.Renewal):
		return KindRenewal
	}
	return KindCharge
}

func isTrue(b *bool) bool { return b != nil && *b }

// RecordPaymentPayload is what became of a payment.
type RecordPaymentPayload struct {
	Payment     *Payment
	Outcome     RecordOutcome
	Differences []string // input fields, by their GraphQL names, of a duplicate that differ from the entry
}

// PaymentFilter selects payments; all given conditions must hold. Those of RevenueFilter select the payments
// of which something is credited.
type PaymentFilter struct {
	RevenueFilter
	Range         *TimeRange
	VisitorID     *string
	CustomerID    *string
	TransactionID *string
	Kinds         []PaymentKind
	Attributed    *bool
}

// PaymentQuery is a checked question for payments.
type PaymentQuery struct {
	PaymentFilter
	In     Range
	Credit Credit
	Page   Page
}

// Validate checks a question for payments; its page is left to be filled in. A nil filter selects all
// payments. Errors: CodeInvalidField, CodeInvalidRange.
func (in *PaymentFilter) Validate(site Website) (PaymentQuery, error) {
	if in == nil {
		return PaymentQuery{}, nil
	}
	var faults Faults
	resolved, err := in.Range.In(site.Location())
	faults.Add("range", err)
	faults.addID("visitorId", in.VisitorID)
	faults.addID("customerId", in.CustomerID)
	faults.addID("transactionId", in.TransactionID)
	for _, kind := range in.Kinds {
		if !slices.Contains(paymentKinds, kind) {
			faults.Add("kinds", Errorf(CodeInvalidField, "", "must be CHARGE, RENEWAL, FREE_TRIAL or REFUND"))
		}
	}
	credit := in.credit(&faults)
	return PaymentQuery{PaymentFilter: *in, In: resolved, Credit: credit}, faults.Err()
}
