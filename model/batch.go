package model

import "time"

// MaxBatch is the greatest number of payments that are recorded together.
const MaxBatch = 1000

// RecordPaymentsInput is up to MaxBatch payments of one website.
type RecordPaymentsInput struct {
	WebsiteID *string
	Payments  []RecordPaymentInput
}

// Batch is the payments of an input that are ready to be recorded, and the faults of the others.
type Batch struct {
	Payments []*NewPayment
	// faults has one entry for each payment of the input; nil where it is ready.
	faults []*Error
}

// Validate checks each payment by itself: one at fault does not hold up the others. Errors:
// CodeTooManyItems.
func (in RecordPaymentsInput) Validate(site Website, now time.Time) (Batch, error) {
	if n := len(in.Payments); n < 1 || n > MaxBatch {
		return Batch{}, Errorf(CodeTooManyItems, "payments", "from 1 to %d payments can be recorded together", MaxBatch)
	}
	batch := Batch{faults: make([]*Error, len(in.Payments))}
	for i, one := range in.Payments {
		p, err := one.Validate(site, now)
		if one.WebsiteID != nil && *one.WebsiteID != site.ID {
			err = Errorf(CodeConflictingFields, "websiteId", "all payments must be of one website")
		}
		if err != nil {
			batch.faults[i] = AsError(err)
			continue
		}
		batch.Payments = append(batch.Payments, &p)
	}
	return batch, nil
}

// Merge puts the results of the recorded payments among the faults, in the order of the input.
func (b Batch) Merge(recorded []RecordPaymentResult) []RecordPaymentResult {
	results := make([]RecordPaymentResult, len(b.faults))
	for i, fault := range b.faults {
		if fault != nil {
			results[i].Error = fault
			continue
		}
		results[i], recorded = recorded[0], recorded[1:]
	}
	return results
}

// RecordPaymentsPayload has one result for each payment, in the order of the input.
type RecordPaymentsPayload struct {
	Results []RecordPaymentResult
}

// RecordPaymentResult is what became of one of several payments: a payload or an error.
type RecordPaymentResult struct {
	Payload *RecordPaymentPayload
	Error   *Error
}
