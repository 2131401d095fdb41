package model

import "time"

// Website is a site whose visits and payments are measured.
type Website struct {
	ID         string // 24 hexadecimal characters
	TrackingID string // public, "dfid_" and 12 characters
	AccountID  string
	Domain     string
	Name       string
	Timezone   string   // an IANA name
	Currency   Currency // the reporting currency
	Suspended  bool
	CreatedAt  time.Time
	// EventLimit is the account's monthly limit of recorded events; 0 means none.
	EventLimit int64
}

// Location is the website's time zone. Websites are only created with a zone that is known; one
// that has vanished from the zone database since is read as UTC.
func (w Website) Location() *time.Location {
	loc, err := ParseTimezone(w.Timezone)
	if err != nil {
		return time.UTC
	}
	return loc
}

// CheckWritable answers CodeWebsiteSuspended when the website accepts no writes.
func (w Website) CheckWritable() error {
	if w.Suspended {
		return Errorf(CodeWebsiteSuspended, "", "the website is suspended and accepts no writes")
	}
	return nil
}
