package model

// DeletePaymentsInput selects the payments to delete; all given filters must match.
type DeletePaymentsInput struct {
	WebsiteID     *string
	TransactionID *string
	VisitorID     *string
	From          *Timestamp
	To            *Timestamp
	DryRun        *bool
}

// Deletion is a checked request to delete payments.
type Deletion struct {
	TransactionID *string
	VisitorID     *string
	Range         Range
	DryRun        bool
}

// Validate checks the filters. Errors: CodeMissingFilter when there is none, CodeInvalidField,
// CodeInvalidRange.
func (in DeletePaymentsInput) Validate(site Website) (Deletion, error) {
	if in.TransactionID == nil && in.VisitorID == nil && in.From == nil && in.To == nil {
		return Deletion{}, Errorf(CodeMissingFilter, "", "name what to delete: a transaction, a visitor or a time range")
	}
	var faults Faults
	faults.addID("transactionId", in.TransactionID)
	faults.addID("visitorId", in.VisitorID)
	r, err := (&TimeRange{From: in.From, To: in.To}).In(site.Location())
	faults.Add("from", err)
	return Deletion{TransactionID: in.TransactionID, VisitorID: in.VisitorID, Range: r, DryRun: isTrue(in.DryRun)}, faults.Err()
}

// DeletePaymentsPayload is what was deleted, or would be.
type DeletePaymentsPayload struct {
	DeletedCount int
	DryRun       bool
	Revenue      *Revenue
	// Range is the resolved time range of the deletion; zero ends are open.
	Range Range
}
