package model

import "time"

// Account owns websites.
type Account struct {
	ID         string
	Name       string
	EventLimit int64 // recorded payments and pageviews a month, in UTC; 0 means no limit
	CreatedAt  time.Time
}
