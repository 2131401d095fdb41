package model

import "time"

// RollupProgress says how far the rollups of a website have been built.
type RollupProgress struct {
	Until   time.Time // payments that occurred before are added up; zero when all are
	Visitor string    // then the visitors up to this one, in order of their ids
}

// RollupCheck compares the rollups of a website with its ledger.
type RollupCheck struct {
	IsComplete bool // all payments are in the rollups; else only those are compared that are
	Compared   int  // sums of hours, days and visitors
	Faults     []RollupFault
	Others     int // more faults
}

// RollupFault is a sum that is not what the ledger says. Amounts are in minor units.
type RollupFault struct {
	Of     string // which hour, day or visitor
	Kept   string // empty if nothing is
	Ledger string // empty if it should not be kept
}
