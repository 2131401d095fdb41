package clientip_test

import (
	"bytes"
	"encoding/binary"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/clientip"
)

// database is a MaxMind database, as https://maxmind.github.io/MaxMind-DB/ describes it, in which the addresses
// 128.0.0.0/1 are those of a country, and the others unknown.
func database(t *testing.T, code string) string {
	t.Helper()
	text := func(s string) []byte { return append([]byte{2<<5 | byte(len(s))}, s...) }
	number := func(n byte) []byte { return []byte{5<<5 | 1, n} } // uint16
	table := func(n byte, pairs ...[]byte) []byte { return append([]byte{7<<5 | n}, bytes.Join(pairs, nil)...) }
	var file bytes.Buffer
	// The tree has one node of two records of 24 bits: nothing, and the first byte of the data.
	file.Write([]byte{0, 0, 1, 0, 0, 1 + 16})
	file.Write(make([]byte, 16))
	file.Write(table(1, text("country"), table(1, text("iso_code"), text(code))))
	file.WriteString("\xab\xcd\xefMaxMind.com")
	epoch := binary.BigEndian.AppendUint64([]byte{0<<5 | 8, 9 - 7}, 1) // uint64, an extended type
	file.Write(table(9,
		text("binary_format_major_version"), number(2), text("binary_format_minor_version"), number(0),
		text("build_epoch"), epoch, text("database_type"), text("Test-Country"), text("description"), table(0),
		text("ip_version"), number(4), text("languages"), []byte{0, 11 - 7},
		text("node_count"), []byte{6<<5 | 1, 1}, text("record_size"), number(24)))
	path := filepath.Join(t.TempDir(), "country.mmdb")
	require.NoError(t, os.WriteFile(path, file.Bytes(), 0o600))
	return path
}

func TestCountries(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T, path string) *clientip.Countries {
		countries, err := clientip.OpenCountries(path, proxies)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, countries.Close()) })
		return countries
	}
	// from is the country of a request of a peer, by way of a content delivery network or not.
	from := func(c *clientip.Countries, peer, header, code string) string {
		r := httptest.NewRequest("POST", "/api/events", nil)
		r.RemoteAddr = peer + ":1234"
		r.Header.Set(header, code)
		return c.Country(r)
	}

	t.Run("by the file", func(t *testing.T) {
		t.Parallel()
		c := open(t, database(t, "DE"))
		require.Equal(t, "DE", from(c, "203.0.113.9", "CF-IPCountry", "FR"))
		require.Empty(t, from(c, "20.0.113.9", "CF-IPCountry", "FR"))
		require.Equal(t, "DE", from(c, "10.0.0.1", "X-Forwarded-For", "203.0.113.9"))
		require.Equal(t, "FR", from(c, "10.0.0.1", "CF-IPCountry", "FR"), "the file does not have it")
		require.Empty(t, from(c, "2001:db8::1", "", ""))
		require.Empty(t, from(open(t, database(t, "Germany")), "203.0.113.9", "", ""))
	})

	t.Run("by a content delivery network that is trusted", func(t *testing.T) {
		t.Parallel()
		c := open(t, "")
		for _, header := range []string{"CF-IPCountry", "X-Vercel-IP-Country", "CloudFront-Viewer-Country"} {
			require.Equal(t, "FR", from(c, "10.0.0.1", header, "FR"))
			require.Empty(t, from(c, "203.0.113.9", header, "FR"))
		}
		for _, code := range []string{"XX", "T1", "fr", "FRA", ""} {
			require.Empty(t, from(c, "10.0.0.1", "CF-IPCountry", code))
		}
	})

	t.Run("not by a file that is none", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "country.mmdb")
		_, err := clientip.OpenCountries(path, nil)
		require.ErrorContains(t, err, path)
		require.NoError(t, os.WriteFile(path, []byte("<html>"), 0o600))
		_, err = clientip.OpenCountries(path, nil)
		require.ErrorContains(t, err, "MaxMind database")
	})
}
