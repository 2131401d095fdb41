package rates_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/rates"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return data
}

// zipped is an archive of files.
func zipped(files ...[]byte) []byte {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for i, data := range files {
		file, _ := archive.Create(fmt.Sprint("file", i)) // writing to memory does not fail
		_, _ = file.Write(data)
	}
	_ = archive.Close()
	return out.Bytes()
}

// lines are the rates of a file, each in a line.
func lines(file rates.File) []string {
	all := []string{}
	for _, r := range file.Rates {
		all = append(all, fmt.Sprint(r.Date, " ", r.Currency, " ", r.PerEuro, " ", r.Source))
	}
	return all
}

func TestParse(t *testing.T) {
	t.Parallel()
	const ecb = " European Central Bank"
	recent := []string{
		"2026-05-20 USD 1.1328" + ecb, "2026-05-20 JPY 162.35" + ecb, "2026-05-20 GBP 0.84180" + ecb,
		"2026-05-19 USD 1.1291" + ecb, "2026-05-19 JPY 162.8" + ecb, "2026-05-19 GBP 0.84255" + ecb,
		"2026-05-18 USD 1.1302" + ecb, "2026-05-18 JPY 163.17" + ecb, "2026-05-18 GBP 0.84011" + ecb,
	}
	history := []string{
		"2026-05-20 USD 1.1328" + ecb, "2026-05-20 JPY 162.35" + ecb, "2026-05-20 GBP 0.8418" + ecb, "2026-05-20 ILS 4.0210" + ecb,
		"2026-05-19 USD 1.1291" + ecb, "2026-05-19 JPY 162.8" + ecb, "2026-05-19 GBP 0.84255" + ecb, "2026-05-19 ILS 4.0175" + ecb,
		"2007-12-31 USD 1.4721" + ecb, "2007-12-31 JPY 164.93" + ecb, "2007-12-31 GBP 0.73335" + ecb,
		"1999-01-04 USD 1.1789" + ecb, "1999-01-04 JPY 133.73" + ecb, "1999-01-04 GBP 0.7111" + ecb,
	}
	gone := map[string]int{"CYP": 2, "EEK": 2}
	for name, test := range map[string]struct {
		data    []byte
		source  string
		want    []string
		skipped map[string]int
	}{
		"daily XML":                     {read(t, "daily.xml"), "", recent[:3], map[string]int{"CYP": 1}},
		"XML of 90 days":                {read(t, "hist-90d.xml"), "", recent, nil},
		"XML after a byte order mark":   {append([]byte("\ufeff\n"), read(t, "hist-90d.xml")...), "", recent, nil},
		"CSV of all time":               {read(t, "hist.csv"), "", history, gone},
		"CSV of all time, with CRLF":    {bytes.ReplaceAll(read(t, "hist.csv"), []byte("\n"), []byte("\r\n")), "", history, gone},
		"zipped CSV of all time":        {zipped(read(t, "hist.csv")), "", history, gone},
		"zipped XML":                    {zipped(read(t, "hist-90d.xml")), "", recent, nil},
		"daily CSV":                     {read(t, "daily.csv"), "", recent[:3], nil},
		"simple CSV":                    {read(t, "simple.csv"), "", []string{"2026-05-20 USD 1.1328 Example Bank", "2026-05-20 THB 37.019 Example Bank", "2026-05-19 THB 36.9 Example Bank"}, nil},
		"simple CSV of a source":        {[]byte("currency,per_euro,date\nUSD,1.1328,2026-05-20"), "Me", []string{"2026-05-20 USD 1.1328 Me"}, nil},
		"source that goes first":        {read(t, "simple.csv"), "Me", []string{"2026-05-20 USD 1.1328 Me", "2026-05-20 THB 37.019 Me", "2026-05-19 THB 36.9 Me"}, nil},
		"the same rate twice":           {[]byte("date,currency,per_euro\n2026-05-20,USD,1\n2026-05-20,usd,1\n"), "Me", []string{"2026-05-20 USD 1 Me"}, nil},
		"nothing but currencies of old": {[]byte("Date,CYP\n2007-12-31,0.585274\n"), "", []string{}, map[string]int{"CYP": 1}},
		"quoted simple CSV":             {[]byte("\"date\", \"currency\", \"per_euro\"\n\"2026-05-20\", \"USD\", \"1.1328\"\n\n"), "Me", []string{"2026-05-20 USD 1.1328 Me"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := rates.Parse(test.data, test.source)
			require.NoError(t, err)
			require.Equal(t, test.want, lines(file))
			require.Equal(t, test.skipped, file.Skipped)
		})
	}
}

func TestParse_refuses(t *testing.T) {
	t.Parallel()
	const begin, end = `<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"><Cube>` + "\n", `</Cube></gesmes:Envelope>`
	simple := func(line string) string { return "date,currency,per_euro,source\n2026-05-20,USD,1.1,Me\n" + line }
	wide := func(line string) string { return "Date,USD,JPY,\n2026-05-20,1.1,160,\n" + line }
	for name, test := range map[string]struct{ data, says string }{
		"nothing":                      {"", "it is empty"},
		"a web page":                   {"<!DOCTYPE html><html><body>Not found</body></html>", "not the European Central Bank's"},
		"another text":                 {"Hello, world\n", "it is no file of rates: expected"},
		"a header alone":               {"date,currency,per_euro,source\n", "there is no rate in it"},
		"an envelope alone":            {begin + end, "there is no rate in it"},
		"XML that ends":                {begin + `<Cube time="2026-05-20">`, "line 2: XML: "},
		"XML that is none":             {begin + `<Cube time="2026-05-20"></Rate>` + end, "line 2: XML: is not well-formed"},
		"XML that is deep":             {begin + strings.Repeat("<a>", 100), "nested too deeply"},
		"XML that never ends":          {begin + "<Cube " + strings.Repeat(`a="" `, 20_000) + "/>" + end, "XML: a line or element of it has more than 64 KB"},
		"a rate of no day":             {begin + `<Cube currency="USD" rate="1.1"/>` + end, "line 2: Cube: has a rate, but is in none with a time"},
		"a rate after its day":         {begin + `<Cube time="2026-05-20"></Cube><Cube currency="USD" rate="1.1"/>` + end, "line 2: Cube: has a rate"},
		"a currency without a rate":    {begin + `<Cube time="2026-05-20"><Cube currency="USD"/></Cube>` + end, "line 2: Cube: must have a currency and a rate"},
		"a day in a day":               {begin + `<Cube time="2026-05-20"><Cube time="2026-05-21"/></Cube>` + end, "line 2: Cube: must have either"},
		"an XML date that is none":     {begin + `<Cube time="2026-02-30"/>` + end, "line 2: time: must be a date"},
		"an XML rate of nothing":       {begin + `<Cube time="2026-05-20">` + "\n" + `<Cube currency="USD" rate="0"/></Cube>` + end, "line 3: rate of USD: must be a decimal number above zero"},
		"a date that is none":          {simple("2026-13-01,USD,1.1,Me"), "line 3: date: must be a date such as"},
		"a date of long ago":           {simple("1969-12-31,USD,1.1,Me"), "line 3: date: must not be before 1970"},
		"a currency that is no code":   {simple("2026-05-20,Dollar,1.1,Me"), "line 3: currency: must be an ISO 4217 code"},
		"the euro":                     {simple("2026-05-20,EUR,1,Me"), "line 3: currency: the euro has no rate"},
		"a negative rate":              {simple("2026-05-20,JPY,-1.1,Me"), "line 3: rate of JPY: must be a decimal number above zero"},
		"a rate with a comma":          {simple(`2026-05-20,JPY,"1,1",Me`), "line 3: rate of JPY: must be a decimal number"},
		"a rate of no number":          {simple("2026-05-20,JPY,N/A,Me"), "line 3: rate of JPY: must be a decimal number"},
		"a rate with an exponent":      {simple("2026-05-20,JPY,1e2,Me"), "line 3: rate of JPY: must be a decimal number"},
		"a rate with many digits":      {simple("2026-05-20,JPY,1.1234567890123,Me"), "line 3: rate of JPY: must have at most 12 digits"},
		"a huge rate":                  {simple("2026-05-20,JPY,1234567890123,Me"), "line 3: rate of JPY: must have at most 12 digits"},
		"two rates of a day":           {simple("2026-05-20,USD,1.2,Me"), "line 3: rate of USD: is another one than above"},
		"no source in a line":          {simple("2026-05-20,JPY,160,"), "line 3: source: must not be empty"},
		"no source":                    {"date,currency,per_euro\n2026-05-20,USD,1.1\n", "name the source with --source"},
		"a missing field":              {simple("2026-05-20,JPY,160"), "line 3: columns: there are 3, but 4 in the first line"},
		"a column too many":            {"date,currency,per_euro,source,note\n", "line 1: columns: must be date, currency, per_euro and"},
		"a column of another name":     {"date,currency,rate\n2026-05-20,USD,1.1\n", "line 1: columns: must be"},
		"a column twice":               {"date,currency,per_euro,date\n", "line 1: columns: must be"},
		"a line that never ends":       {simple(strings.Repeat(",", 100_000)), "more than 64 KB"},
		"an open quote that does not":  {simple(strings.Repeat("\"\n\",", 20_000)), "more than 64 KB"},
		"nothing but empty lines":      {strings.Repeat("\n", 100_000), "more than 64 KB"},
		"empty lines without end":      {simple(strings.Repeat("\n", 100_000)), "more than 64 KB"},
		"a quote that never ends":      {simple(`"` + strings.Repeat("a", 100_000)), "more than 64 KB"},
		"a first line that never ends": {strings.Repeat(",", 100_000), "more than 64 KB"},
		"an open quote":                {simple(`2026-05-20,"JPY,160,Me`), "line 3: CSV: "},
		"a day's missing field":        {wide("2026-05-19,1.1"), "line 3: columns: there are 2, but 4 in the first line"},
		"a day's date that is none":    {wide("19/05/2026,1.1,160,"), "line 3: Date: must be a date"},
		"a day's rate of no number":    {wide("2026-05-19,1.1,n/a,"), "line 3: rate of JPY: must be a decimal number"},
		"a day's rate of no currency":  {wide("2026-05-19,1.1,160,5"), "line 3: currency: must be an ISO 4217 code"},
		"a zip that is none":           {"PK\x03\x04", "zip archive that cannot be read"},
		"a zip of two":                 {string(zipped([]byte("a"), []byte("b"))), "zip archive of 2 files"},
		"a zip that is large unpacked": {string(zipped(make([]byte, rates.MaxBytes+1))), "larger than 64 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := rates.Parse([]byte(test.data), "")
			require.ErrorContains(t, err, test.says)
			require.Empty(t, file, "nothing counts")
		})
	}

	t.Run("a source that cannot be kept", func(t *testing.T) {
		t.Parallel()
		_, err := rates.Parse(read(t, "simple.csv"), strings.Repeat("a", 256))
		require.ErrorContains(t, err, "must have at most 255 characters")
	})
}

// FuzzParse tries that whatever is read keeps its limits.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"daily.xml", "hist-90d.xml", "hist.csv", "daily.csv", "simple.csv"} {
		f.Add(read(f, name))
	}
	f.Add(zipped(read(f, "hist.csv")))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := rates.Parse(data, "Me")
		if err != nil {
			require.Empty(t, file)
			return
		}
		seen := map[string]bool{}
		for _, r := range file.Rates {
			require.NotEqual(t, "EUR", string(r.Currency))
			key := fmt.Sprint(r.Date, r.Currency)
			require.False(t, seen[key])
			seen[key] = true
		}
	})
}
