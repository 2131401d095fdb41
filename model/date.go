package model

import (
	"fmt"
	"time"
)

// Date is a day of the Gregorian calendar, in no time zone. Its fields are in their ranges.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the date that t shows in its own zone.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, month, day}
}

// ParseDate reads a date of the years 1 to 9999 as String writes it. Error: CodeInvalidTimestamp.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1 {
		return Date{}, Errorf(CodeInvalidTimestamp, "", "must be a date such as 2026-05-01")
	}
	return DateOf(t), nil
}

// String is the date as ISO 8601 writes it: 2026-05-01.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// AddDays is the date so many days later; earlier if days is negative.
func (d Date) AddDays(days int) Date { return DateOf(d.Time().AddDate(0, 0, days)) }

// Time is the date's midnight in UTC.
func (d Date) Time() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }
