package rates

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"tributary/model"
)

// ECBFolder is where the European Central Bank publishes its files.
const ECBFolder = "https://www.ecb.europa.eu/stats/eurofxref/"

// The files there: the 90 days suffice unless rates are missing from before.
const (
	fileRecent  = "eurofxref-hist-90d.xml"
	fileHistory = "eurofxref-hist.zip"
	recentDays  = 85
)

// The rates of a working day are published at about 16:00 in Frankfurt.
const (
	publishedHour   = 16
	publishedMinute = 15
	publishedZone   = "Europe/Berlin"
)

// The pauses after a try that brought no rates of the last working day. They double; on a bank holiday
// there are none.
const (
	pauseMin  = 5 * time.Minute
	pauseMax  = 6 * time.Hour
	jitterMax = 15 * time.Minute
)

// Refresher keeps a store's rates as fresh as the European Central Bank's. Several may do so at once.
type Refresher struct {
	Store Store
	// Folder is the address of the files, which ends with a slash: see ECBFolder.
	Folder string
	Now    func() time.Time
	// Wait returns after a time, or when the context ends.
	Wait func(ctx context.Context, d time.Duration)
	Log  *slog.Logger
}

// Run fetches what is missing at once, and then whenever rates have been published, until the context
// ends. It converts the payments that wait. A failure is logged, and tried again later.
func (r *Refresher) Run(ctx context.Context) {
	for tries := 0; ctx.Err() == nil; {
		fresh, err := r.refresh(ctx)
		pause := untilPublished(r.Now())
		if fresh {
			tries = 0
		} else {
			pause = min(pause, pauseMin<<min(tries, 10), pauseMax)
			tries++
		}
		pause += rand.N(min(pause/5, jitterMax)) + 1 // not all servers of the world at once
		if err != nil && ctx.Err() == nil {
			r.Log.Warn("the exchange rates could not be refreshed, and payments of these days wait for them: see that this machine can reach the address, or import a file with `tributary rates import`",
				"error", err, "nextTry", pause.Round(time.Second).String())
		}
		r.Wait(ctx, pause)
	}
}

// refresh imports what is missing, and says whether the rates are as fresh as they can be.
func (r *Refresher) refresh(ctx context.Context) (fresh bool, err error) {
	due := lastPublished(r.Now())
	latest, err := r.latest(ctx)
	isImported := latest.After(r.Now()) // by mistake: it does not tell what else there is
	if err != nil || !latest.Before(due) && !isImported {
		return err == nil, err
	}
	name := fileRecent
	if latest.Before(due.AddDate(0, 0, -recentDays)) {
		name = fileHistory
	}
	data, err := Fetch(ctx, r.Folder+name)
	if err != nil {
		return false, err
	}
	file, err := Parse(data, "")
	if err != nil {
		return false, fmt.Errorf("%s is not as expected: %w", name, err)
	}
	// What an operator has imported is not replaced.
	done, err := r.Store.ImportRates(ctx, file.Rates, false, r.Now())
	if err != nil {
		return false, err
	}
	converted, err := Convert(ctx, r.Store, nil)
	if err != nil {
		return false, err
	}
	latest, err = r.latest(ctx)
	if done.New > 0 {
		r.Log.Info("imported exchange rates", "rates", done.New, "until", latest.Format(time.DateOnly), "paymentsConverted", converted)
	}
	return err == nil && !latest.Before(due), err
}

// latest is the latest day of the European Central Bank's rates, at midnight in UTC.
func (r *Refresher) latest(ctx context.Context) (time.Time, error) {
	known, err := r.Store.Rates(ctx)
	for _, s := range known {
		if s.Source == ECB {
			return s.Last.Time(), err
		}
	}
	return time.Time{}, err
}

// lastPublished is the last working day whose rates should be published, at midnight in UTC.
func lastPublished(now time.Time) time.Time {
	day := published(now, -1)
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC)
}

// untilPublished is how long it is until rates are published.
func untilPublished(now time.Time) time.Duration { return published(now, 1).Sub(now) }

// published is when rates are published next after now, or were last if step is -1.
func published(now time.Time, step int) time.Time {
	zone, err := model.ParseTimezone(publishedZone)
	if err != nil {
		zone = time.FixedZone("CET", int(time.Hour/time.Second))
	}
	local := now.In(zone)
	for n := 0; ; n += step {
		at := time.Date(local.Year(), local.Month(), local.Day()+n, publishedHour, publishedMinute, 0, 0, zone)
		isWorkday := at.Weekday() != time.Saturday && at.Weekday() != time.Sunday
		if isWorkday && (step > 0) == at.After(now) {
			return at
		}
	}
}
