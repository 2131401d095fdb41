package main

import "time"

// now is the clock: UTC, to the microsecond, as Postgres keeps time. internal/faulttest builds the program with
// another one in place of this file.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
