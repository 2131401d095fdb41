package model

import (
	"sync"
	"time"

	// The zone database for machines that have none, such as an empty container.
	_ "time/tzdata"
)

// timezones are the zones that were loaded, by name.
var timezones sync.Map

// ParseTimezone finds a zone by its name in the IANA database, such as Europe/Paris or UTC. Names
// of the machine's own, such as Local or a path, are refused: they mean another zone elsewhere.
// Error: CodeInvalidField.
func ParseTimezone(name string) (*time.Location, error) {
	if loc, ok := timezones.Load(name); ok {
		return loc.(*time.Location), nil
	}
	if !isZoneName(name) {
		return nil, errTimezone()
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, errTimezone()
	}
	timezones.Store(name, loc)
	return loc, nil
}

func errTimezone() error {
	return Errorf(CodeInvalidField, "", "must be an IANA time zone, such as Europe/Paris")
}

// isZoneName says whether a name has the form that all of IANA's have: parts that begin with a
// capital, separated by slashes. Of the other files that machines keep beside the zones (posix/…,
// right/…, localtime) only Factory, a zone that stands for none, looks the same.
func isZoneName(name string) bool {
	if len(name) > 64 || name == "Local" || name == "Factory" {
		return false
	}
	start := true
	for i := range len(name) {
		b := name[i]
		switch {
		case b >= 'A' && b <= 'Z':
			start = false
		case start:
			return false
		case b == '/':
			start = true
		case b >= 'a' && b <= 'z', b >= '0' && b <= '9', b == '_', b == '-', b == '+':
		default:
			return false
		}
	}
	return !start
}
