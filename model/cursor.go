package model

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// Cursor is a place in a list: the sort key and the id of an entry. It holds no right to read
// anything: lists are always limited to the caller's website. The zero value is no place.
type Cursor struct {
	Order string `json:"o"` // the name of the order it belongs to
	Key   string `json:"k"`
	ID    string `json:"i"`
}

// maxCursor is the greatest length of a cursor, in bytes. One of an id of 255 bytes that JSON all escapes has 2,182.
const maxCursor = 2560

// String is the cursor as clients see it: opaque text.
func (c Cursor) String() string {
	raw, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// ListOrder is the order of a list: by a key, and by id where keys are equal. Its cursors are good for
// lists in the same order only.
type ListOrder struct {
	name        string
	isKey, isID func(string) bool // whether a text can be the key or the id of an entry
}

// The orders of payments, of visits, of events, and of all of them: by TimeKey, and by an id that is a UUID.
var (
	PaymentOrder = ListOrder{"payments", isTimeKey, isUUID}
	VisitOrder   = ListOrder{"visits", isTimeKey, isUUID}
	EventOrder   = ListOrder{"events", isTimeKey, isUUID}
	JourneyOrder = ListOrder{"journey", isTimeKey, isUUID}
)

// Cursor is the place of an entry in a list of this order.
func (o ListOrder) Cursor(key, id string) Cursor { return Cursor{Order: o.name, Key: key, ID: id} }

// parse reads a cursor that String wrote; false for any other text. Key and ID are what a database can
// compare with those of entries.
func (o ListOrder) parse(text string) (Cursor, bool) {
	var c Cursor
	if len(text) > maxCursor {
		return c, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(raw, &c) != nil {
		return c, false
	}
	return c, c.Order == o.name && o.isKey(c.Key) && o.isID(c.ID)
}

// TimeKey is a time as the key of a cursor.
func TimeKey(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

func isTimeKey(key string) bool { return isTime(time.RFC3339Nano, key) }

// isTime says whether a text is exactly what the layout makes of a time in UTC that Postgres has too.
func isTime(layout, text string) bool {
	at, err := time.Parse(layout, text)
	return err == nil && at.Year() >= 1 && at.UTC().Format(layout) == text
}

// isUUID says whether a text is a UUID as Postgres writes it.
func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		if hyphen != (text[i] == '-') || !hyphen && !strings.ContainsRune("0123456789abcdef", rune(text[i])) {
			return false
		}
	}
	return true
}
