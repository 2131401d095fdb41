package model

import "time"

// Account owns websites.
type Account struct {
	ID         string
	Name       string
	EventLimit int64 // recorded payments, pageviews and other events a month, in UTC; 0 means no limit
	CreatedAt  time.Time
}

// ErrEventLimit is the answer to an event at now that the account may not record any more. It may
// again when the next month begins, in UTC.
func ErrEventLimit(now time.Time) error {
	year, month, _ := now.UTC().Date()
	e := Errorf(CodeEventLimitReached, "", "Account event limit reached")
	e.RetryAfter = time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC).Sub(now)
	return e
}
