package main_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

const dailyRates = `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
	<gesmes:subject>Reference rates</gesmes:subject>
	<Cube>
		<Cube time='2026-05-20'>
			<Cube currency='USD' rate='1.25'/>
			<Cube currency='JPY' rate='160.5'/>
		</Cube>
	</Cube>
</gesmes:Envelope>
`

// write keeps a file for a test, and answers its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func paymentOf(id, amount, currency, at string) string {
	return `{"amount": ` + amount + `, "currency": "` + currency + `", "transaction_id": "` + id + `", "timestamp": "` + at + `"}`
}

func TestRates(t *testing.T) {
	t.Parallel()

	t.Run("are imported from a file, the standard input and a web address, and convert what waited", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		_, key := op.newWebsite("shop.example.com")
		require.Contains(t, op.run("rates", "list"), "There are no exchange rates yet: `tributary rates import FILE` reads them")
		server := op.serve()
		for id, p := range map[string][3]string{"t1": {"100", "EUR", "2026-05-20"}, "t2": {"321", "JPY", "2026-05-19"}, "t3": {"10", "THB", "2026-05-20"}} {
			status, body := server.send(http.MethodPost, "/api/v1/payments", key, paymentOf(id, p[0], p[1], p[2]+"T12:00:00Z"))
			require.Equal(t, http.StatusOK, status, body)
		}
		require.Contains(t, op.run("rates", "list"), "JPY to USD")

		done := op.ask("rates", "import", write(t, "daily.xml", dailyRates))
		require.Equal(t, []string{"converted", "currencies", "days", "first", "last", "new", "rates", "replaced", "skipped", "unchanged", "waiting"}, done.names())
		require.Equal(t, []any{2.0, 0.0, 0.0, 1.0}, []any{done["new"], done["unchanged"], done["replaced"], done["converted"]})
		require.Contains(t, server.graphQL(key, `{ revenue { gross { amount } } }`), `"125.00"`, "the server sees it at once")

		cmd := op.command("rates", "import", "-", "--source", "My bank")
		var stdout, stderr bytes.Buffer
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("date,currency,per_euro\n2026-05-19,JPY,160.5\n2026-05-19,USD,1.25\n2026-05-20,USD,1.3\n"), &stdout, &stderr
		require.NoError(t, cmd.Run(), stderr.String())
		require.Contains(t, stdout.String(), "Read 3 rates of 2 days and 2 currencies, 2026-05-19 to 2026-05-20: 2 new, 0 known, 1 replaced.\n")
		require.Contains(t, stdout.String(), "keep their amounts")
		require.Contains(t, stdout.String(), "Converted 1 payment that waited.\n")
		require.Regexp(t, `shop\.example\.com +THB to USD +1 payment +2026-05-20\n`, stdout.String())
		require.Contains(t, stdout.String(), "`tributary serve --rates ecb` fetches them daily")
		require.Contains(t, server.graphQL(key, `{ revenue { gross { amount } } payments(filter: {transactionId: "t2"}) { edges { node { conversion { source date } } } } }`),
			`{"revenue":{"gross":{"amount":"127.50"}},"payments":{"edges":[{"node":{"conversion":{"source":"My bank","date":"2026-05-19"}}}]}}`)

		bank := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/hist.csv" {
				http.NotFound(w, r)
				return
			}
			_, _ = w.Write([]byte("Date,USD,THB,CYP,\n2026-05-19,1.25,40,N/A,\n2007-12-31,1.4721,43.8,0.585274,\n"))
		}))
		t.Cleanup(bank.Close)
		text := op.run("rates", "import", bank.URL+"/hist.csv")
		require.Contains(t, text, "Read 4 rates of 2 days and 2 currencies, 2007-12-31 to 2026-05-19: 3 new, 1 known, 0 replaced.\n"+
			"Skipped what money cannot be paid in any more: CYP.\nConverted 1 payment that waited.\n")
		require.NotContains(t, text, "unconverted")
		require.Contains(t, op.run("rates", "import", bank.URL+"/hist.csv"), "0 new, 4 known, 0 replaced.\n")
		require.Regexp(t, `(?m)^My bank +2026-05-19 +2026-05-20 +2 +3 +2$`, op.run("rates", "list"))
		listed := op.ask("rates", "list")
		require.Empty(t, listed["waiting"])
		require.Len(t, listed.list("rates"), 2)

		o := op.try("rates", "import", bank.URL+"/daily.xml")
		require.Equal(t, 1, o.code)
		require.Contains(t, o.stderr, "404 Not Found")
	})

	t.Run("with a bad line are not imported", func(t *testing.T) {
		t.Parallel()
		op, _ := onDatabase(t)
		for name, c := range map[string]struct{ text, says string }{
			"bad.csv":  {"date,currency,per_euro,source\n2026-05-20,USD,1.25,Me\n2026-05-20,JPY,much,Me\n", "line 3: rate of JPY: must be a decimal number above zero"},
			"bad.xml":  {strings.Replace(dailyRates, "160.5", "", 1), "line 7: rate of JPY: must be a decimal number above zero"},
			"page.htm": {"<html></html>", "it is XML, but not the European Central Bank's"},
		} {
			path := write(t, name, c.text)
			o := op.try("rates", "import", path)
			require.Equal(t, 1, o.code)
			require.Empty(t, o.stdout)
			require.Contains(t, o.stderr, "tributary: nothing was imported from "+path+": "+c.says)
		}
		o := op.try("rates", "import", "no-such-file.csv")
		require.Equal(t, 1, o.code)
		require.Contains(t, o.stderr, "cannot read no-such-file.csv: ")
		require.Empty(t, op.ask("rates", "list").list("rates"))
	})
}

func TestRates_waitingDays(t *testing.T) {
	t.Parallel()
	op, _ := onDatabase(t)
	made := op.ask("website", "create", "--domain", "shop.example.com", "--timezone", "Europe/Berlin")
	status, body := op.serve().send(http.MethodPost, "/api/v1/payments", made.text("key"), paymentOf("p", "10", "THB", "2026-05-20"))
	require.Equal(t, http.StatusOK, status, body)
	require.Regexp(t, `THB to USD +1 payment +2026-05-20\n`, op.run("rates", "list"), "the website's day, which began on the 19th in UTC")
	waiting := op.ask("rates", "list").list("waiting")[0]
	require.Equal(t, []string{"2026-05-20", "2026-05-20"}, []string{waiting.text("first"), waiting.text("last")})
}

func TestWebsite_setCurrency(t *testing.T) {
	t.Parallel()
	op, dsn := onDatabase(t)
	id, key := op.newWebsite("shop.example.com")
	server := op.serve()
	op.run("rates", "import", write(t, "daily.xml", dailyRates))
	for i, currency := range []string{"USD", "EUR", "JPY", "THB"} {
		status, _ := server.send(http.MethodPost, "/api/v1/payments", key, paymentOf(string(rune('a'+i)), "1000", currency, "2026-05-20T12:00:00Z"))
		require.Equal(t, http.StatusOK, status)
	}
	text := op.run("website", "set", "shop.example.com", "--currency", "eur")
	require.Contains(t, text, "The website shop.example.com reports in EUR.\nConverted 3 payments that waited.\n")
	require.Regexp(t, `THB to EUR +1 payment `, text)
	const gross = `{ revenue { gross { amount currency } unconverted { amount currency } } }`
	require.Contains(t, server.graphQL(key, gross), `{"gross":{"amount":"1806.23","currency":"EUR"},"unconverted":[{"amount":"1000.00","currency":"THB"}]}`)
	status, _ := server.send(http.MethodPost, "/api/v1/payments", key, paymentOf("z", "2.50", "USD", "2026-05-20T12:00:00Z"))
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, server.graphQL(key, gross), `"1808.23"`)

	again := op.ask("website", "set", id, "--currency", "EUR")
	require.Equal(t, []any{"EUR", 0.0}, []any{again["currency"], again["converted"]})
	require.Len(t, again.list("waiting"), 1)
	o := op.try("website", "set", "other.example.com", "--currency", "EUR")
	require.Equal(t, 1, o.code)
	require.Contains(t, o.stderr, "website not found: `tributary website list` shows all")
	require.Contains(t, op.try("website", "set", "0123456789abcdef01234567", "--currency", "EUR").stderr, "website not found")

	// A change that was ended half-way is completed by the next start.
	server.stopped(server.signal())
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	_, err = conn.Exec(t.Context(), `UPDATE websites SET currency = 'USD', currency_version = currency_version + 1`)
	require.NoError(t, err)
	server = op.serve()
	require.Eventually(t, func() bool { return strings.Contains(server.graphQL(key, gross), `"2260.29"`) }, patience, 10*time.Millisecond)
	require.Eventually(t, func() bool { return strings.Contains(server.log.String(), "converted payments that waited") }, patience, 10*time.Millisecond)
}

func TestServe_rates(t *testing.T) {
	t.Parallel()
	op, _ := onDatabase(t)
	_, key := op.newWebsite("shop.example.com")
	day := time.Now().UTC()
	bank := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/mirror/eurofxref-hist.zip" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("Date,USD,\n" + day.Format(time.DateOnly) + ",1.25,\n")) // need not be zipped
	}))
	t.Cleanup(bank.Close)
	server := op.serve("--rates", "ecb", "--rates-url", bank.URL+"/mirror")
	require.Eventually(t, func() bool { return strings.Contains(server.log.String(), "imported exchange rates") }, patience, 10*time.Millisecond)
	status, _ := server.send(http.MethodPost, "/api/v1/payments", key, paymentOf("t1", "100", "EUR", day.Format(time.RFC3339)))
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, server.graphQL(key, `{ revenue { gross { amount } } }`), `"125.00"`)
	server.stopped(server.signal())
	require.NotContains(t, server.log.String(), "could not be refreshed")

	broken, _ := onDatabase(t)
	server = broken.serve("--rates", "ecb", "--rates-url", bank.URL)
	require.Eventually(t, func() bool { return strings.Contains(server.log.String(), "could not be refreshed") }, patience, 10*time.Millisecond)
	status, _ = server.send(http.MethodGet, "/readyz", "", "")
	require.Equal(t, http.StatusOK, status, "it serves all the same")
	server.stopped(server.signal())
}
