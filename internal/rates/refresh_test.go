package rates_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/db"
	"tributary/internal/dbtest"
	"tributary/internal/rates"
	"tributary/model"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// bank is a central bank that publishes rates for working days, and a server that keeps them fresh.
type bank struct {
	t       *testing.T
	store   *db.Store
	site    model.Website
	url     string
	log     bytes.Buffer
	mu      sync.Mutex
	answers func(name string) (status int, body []byte)
	asked   []string // names of files
	now     time.Time
}

// wednesday is after the rates of that day were published.
var wednesday = time.Date(2026, 5, 20, 15, 0, 0, 0, time.UTC)

func newBank(t *testing.T) *bank {
	t.Helper()
	b := &bank{t: t, now: wednesday, answers: publishing(wednesday)}
	var err error
	b.store, err = db.Open(dbtest.NewMigrated(t), db.Options{MaxConnections: 4})
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.store.Close() })
	b.site, err = b.store.CreateWebsite(t.Context(), model.Website{Domain: "shop.example", Name: "Shop", Timezone: "UTC", Currency: "USD", CreatedAt: wednesday})
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		name := strings.TrimPrefix(r.URL.Path, "/rates/")
		b.asked = append(b.asked, name)
		status, body := b.answers(name)
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	b.url = server.URL + "/rates/"
	return b
}

// publishing has the rates until a day: of 90 days, or zipped from a year before.
func publishing(until time.Time) func(name string) (int, []byte) {
	return func(name string) (int, []byte) {
		days := map[string]int{"eurofxref-hist-90d.xml": 90, "eurofxref-hist.zip": 365}[name]
		if days == 0 {
			return http.StatusNotFound, nil
		}
		var out strings.Builder
		out.WriteString(`<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"><Cube>`)
		for n := range days {
			if day := until.AddDate(0, 0, -n); day.Weekday() != time.Saturday && day.Weekday() != time.Sunday {
				fmt.Fprintf(&out, `<Cube time="%s"><Cube currency="USD" rate="1.%02d"/></Cube>`, day.Format(time.DateOnly), day.Day())
			}
		}
		out.WriteString(`</Cube></gesmes:Envelope>`)
		if strings.HasSuffix(name, ".zip") {
			return http.StatusOK, zipped([]byte(out.String()))
		}
		return http.StatusOK, []byte(out.String())
	}
}

// run lets a server keep rates fresh for so many rounds, and answers what it asked for and how long it
// waited after each. Before each wait it calls then, if given, with the number of the round.
func (b *bank) run(rounds int, then func(round int)) (asked []string, waits []time.Duration) {
	b.t.Helper()
	ctx, end := context.WithCancel(b.t.Context())
	defer end()
	b.asked = nil
	r := &rates.Refresher{
		Store: b.store, Folder: b.url, Log: slog.New(slog.NewTextHandler(&b.log, nil)), Now: func() time.Time { return b.now },
		Wait: func(_ context.Context, d time.Duration) {
			waits = append(waits, d)
			if then != nil {
				then(len(waits))
			}
			b.now = b.now.Add(d)
			if len(waits) == rounds {
				end()
			}
		},
	}
	r.Run(ctx)
	return b.asked, waits
}

// until is the day of the latest rate.
func (b *bank) until() string {
	b.t.Helper()
	known, err := b.store.Rates(b.t.Context())
	require.NoError(b.t, err)
	return known[0].Last.String()
}

// about checks that a wait is as long as it should be, and at most a quarter of an hour longer.
func about(t *testing.T, want, got time.Duration) {
	t.Helper()
	require.GreaterOrEqual(t, got, want)
	require.LessOrEqual(t, got, want+min(want/5, 15*time.Minute)+1)
}

func (b *bank) pay(id, day string) {
	b.t.Helper()
	at, err := model.ParseTimestamp(day + "T12:00:00Z")
	require.NoError(b.t, err)
	p, err := model.RecordPaymentInput{TransactionID: id, Amount: "100", Currency: "EUR", OccurredAt: &at}.Validate(b.site, b.now)
	require.NoError(b.t, err)
	_, err = b.store.RecordPayment(b.t.Context(), b.site, &p)
	require.NoError(b.t, err)
}

func (b *bank) gross() string {
	b.t.Helper()
	revenue, err := b.store.Revenue(b.t.Context(), b.site, model.RevenueQuery{})
	require.NoError(b.t, err)
	return string(revenue.Gross.Amount())
}

func TestRefresher(t *testing.T) {
	t.Parallel()

	t.Run("fetches all at first, then what is new after it was published", func(t *testing.T) {
		t.Parallel()
		b := newBank(t)
		b.pay("t1", "2025-11-03")
		asked, waits := b.run(3, func(round int) {
			if round == 2 {
				b.answers = publishing(b.now.AddDate(0, 0, 1))
			}
		})
		require.Equal(t, []string{"eurofxref-hist.zip", "eurofxref-hist-90d.xml", "eurofxref-hist-90d.xml"}, asked)
		about(t, 23*time.Hour+15*time.Minute, waits[0]) // to 16:15 in Frankfurt, which is 14:15 in UTC
		about(t, 5*time.Minute, waits[1])               // it was not there yet
		require.Equal(t, "103.00", b.gross())
		require.Contains(t, b.log.String(), `msg="imported exchange rates" rates=261 until=2026-05-20 paymentsConverted=1`)
		require.NotContains(t, b.log.String(), "level=WARN")
		require.Equal(t, 2, strings.Count(b.log.String(), "\n"), "a line for each import")
	})

	t.Run("asks for nothing that there cannot be", func(t *testing.T) {
		t.Parallel()
		b := newBank(t)
		b.now = time.Date(2026, 5, 22, 15, 0, 0, 0, time.UTC) // a Friday
		b.answers = publishing(b.now)
		asked, waits := b.run(1, nil)
		require.Len(t, asked, 1)
		about(t, 71*time.Hour+15*time.Minute, waits[0])

		b.now = time.Date(2026, 5, 24, 22, 0, 0, 0, time.UTC)
		asked, waits = b.run(1, nil)
		require.Empty(t, asked, "a start on a Sunday")
		about(t, 16*time.Hour+15*time.Minute, waits[0])
	})

	t.Run("tries again, less and less often", func(t *testing.T) {
		t.Parallel()
		b := newBank(t)
		b.pay("t1", "2026-05-20")
		b.answers = func(string) (int, []byte) { return http.StatusServiceUnavailable, nil }
		asked, waits := b.run(5, func(round int) {
			if round == 4 {
				b.answers = publishing(wednesday)
			}
		})
		require.Len(t, asked, 5)
		for i, minutes := range []int{5, 10, 20, 40} {
			about(t, time.Duration(minutes)*time.Minute, waits[i])
		}
		require.Greater(t, waits[4], 20*time.Hour)
		require.Equal(t, 4, strings.Count(b.log.String(), "level=WARN"))
		require.Contains(t, b.log.String(), "tributary rates import")
		require.Contains(t, b.log.String(), "503 Service Unavailable")
		require.Equal(t, "120.00", b.gross())

		b.answers = func(string) (int, []byte) { return http.StatusOK, []byte("<html></html>") }
		_, waits = b.run(12, nil)
		about(t, 6*time.Hour, waits[11])
		require.Contains(t, b.log.String(), "eurofxref-hist-90d.xml is not as expected")
		require.Equal(t, "2026-05-20", b.until(), "nothing of it was imported")
	})

	t.Run("takes a bank holiday for no failure", func(t *testing.T) {
		t.Parallel()
		b := newBank(t)
		b.run(1, nil)
		b.now = time.Date(2026, 5, 21, 15, 0, 0, 0, time.UTC)
		asked, waits := b.run(9, nil)
		require.Len(t, asked, 9)
		about(t, 5*time.Minute, waits[0])
		about(t, 6*time.Hour, waits[7])
		require.NotContains(t, b.log.String(), "level=WARN")
	})

	t.Run("has all after a long time without", func(t *testing.T) {
		t.Parallel()
		b := newBank(t)
		b.run(1, nil)
		b.now = time.Date(2026, 10, 20, 15, 0, 0, 0, time.UTC)
		b.answers = publishing(b.now)
		asked, _ := b.run(1, nil)
		require.Equal(t, []string{"eurofxref-hist.zip"}, asked)
		require.Equal(t, "2026-10-20", b.until())
	})

	t.Run("is not kept from it by a rate of a day to come", func(t *testing.T) {
		t.Parallel()
		b := newBank(t)
		asked, _ := b.run(1, nil)
		require.Len(t, asked, 1)
		wrong := []model.Rate{{Date: model.DateOf(wednesday.AddDate(36, 0, 0)), Currency: "USD", PerEuro: "1.1", Source: rates.ECB}}
		_, err := b.store.ImportRates(t.Context(), wrong, true, wednesday)
		require.NoError(t, err)
		b.now = wednesday.AddDate(0, 0, 1)
		b.answers = publishing(b.now)
		asked, waits := b.run(1, nil)
		require.Equal(t, []string{"eurofxref-hist-90d.xml"}, asked)
		require.Greater(t, waits[0], 20*time.Hour, "it has all until the next day")
	})

	t.Run("does not replace what an operator imported", func(t *testing.T) {
		t.Parallel()
		b := newBank(t)
		own := []model.Rate{{Date: model.DateOf(wednesday), Currency: "USD", PerEuro: "2", Source: "my bank"}}
		_, err := b.store.ImportRates(t.Context(), own, true, b.now)
		require.NoError(t, err)
		b.run(1, nil)
		b.pay("t1", "2026-05-20")
		require.Equal(t, "200.00", b.gross())
	})

	t.Run("may be several", func(t *testing.T) {
		t.Parallel()
		b := newBank(t)
		b.pay("t1", "2026-05-20")
		var servers sync.WaitGroup
		for range 3 {
			servers.Go(func() {
				ctx, end := context.WithCancel(t.Context())
				r := &rates.Refresher{
					Store: b.store, Folder: b.url, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return wednesday },
					Wait: func(context.Context, time.Duration) { end() },
				}
				r.Run(ctx)
			})
		}
		servers.Wait()
		require.Equal(t, "120.00", b.gross())
		known, err := b.store.Rates(t.Context())
		require.NoError(t, err)
		require.Equal(t, 261, known[0].Rates)
	})

	t.Run("says nothing when it is stopped", func(t *testing.T) {
		t.Parallel()
		b := newBank(t)
		ctx, end := context.WithCancel(t.Context())
		b.answers = func(string) (int, []byte) {
			end()
			return http.StatusServiceUnavailable, nil
		}
		r := &rates.Refresher{
			Store: b.store, Folder: b.url, Log: slog.New(slog.NewTextHandler(&b.log, nil)), Now: func() time.Time { return b.now }, Wait: func(context.Context, time.Duration) {},
		}
		r.Run(ctx)
		require.Empty(t, b.log.String())
	})
}
