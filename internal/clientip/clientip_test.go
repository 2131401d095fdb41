package clientip_test

import (
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/internal/clientip"
)

// proxies are what the tests trust.
var proxies = clientip.Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/16")}

func TestIsLocal(t *testing.T) {
	t.Parallel()
	for peer, want := range map[string]bool{
		"127.0.0.1:1234": true, "[::1]:1234": true, "172.17.0.1:1234": true, "[::ffff:192.168.1.2]:1234": true, "[fd00::1]:1234": true,
		"203.0.113.9:1234": false, "[2001:db8::1]:1234": false, "@": false,
	} {
		r := httptest.NewRequest("POST", "/api/events", nil)
		r.RemoteAddr = peer
		require.Equal(t, want, clientip.IsLocal(r), peer)
	}
}

func TestClient(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"203.0.113.9": "203.0.113.9", "2001:db8::1": "2001:db8::", "2001:db8::ffff:1": "2001:db8::", "2001:db8:0:1::1": "2001:db8:0:1::",
	} {
		require.Equal(t, want, clientip.Client(netip.MustParseAddr(address)).String())
	}
	require.False(t, clientip.Client(netip.Addr{}).IsValid())
}

func TestProxies_Address(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		peer      string
		forwarded []string
		dataFast  string
		real      string
		want      string
	}{
		"the peer": {"203.0.113.9:1234", nil, "", "", "203.0.113.9"},
		"a peer that is no proxy is not believed": {"203.0.113.9:1234", []string{"198.51.100.1"}, "198.51.100.2", "198.51.100.3", "203.0.113.9"},
		"who a proxy forwards for":                {"10.0.0.1:1234", []string{"198.51.100.1"}, "", "", "198.51.100.1"},
		"not what the client has put before":      {"10.0.0.1:1234", []string{"1.1.1.1, 198.51.100.1"}, "2.2.2.2", "3.3.3.3", "198.51.100.1"},
		"behind several proxies":                  {"10.0.0.1:1234", []string{"1.1.1.1", "198.51.100.1 ,10.0.0.3", "10.0.0.2"}, "", "", "198.51.100.1"},
		"by the proxy of a website":               {"10.0.0.1:1234", []string{"10.0.0.2"}, "198.51.100.2", "198.51.100.3", "198.51.100.2"},
		"by X-Real-IP":                            {"10.0.0.1:1234", nil, "", "198.51.100.3", "198.51.100.3"},
		"with a port":                             {"10.0.0.1:1234", []string{"198.51.100.1:80"}, "", "", "198.51.100.1"},
		"IPv6":                                    {"[fd00::1]:1234", []string{"[2001:db8::1]:80"}, "", "", "2001:db8::1"},
		"IPv6 in brackets":                        {"[fd00::1]:1234", []string{"[2001:db8::1]"}, "", "", "2001:db8::1"},
		"IPv4 in IPv6":                            {"[::ffff:10.0.0.1]:1234", []string{"::ffff:198.51.100.1"}, "", "", "198.51.100.1"},
		"a zone":                                  {"[fe80::1%eth0]:1234", nil, "", "", "fe80::1"},
		"a proxy that does not tell":              {"10.0.0.1:1234", []string{"unknown"}, "", "none", "10.0.0.1"},
		"not beyond what is no address":           {"10.0.0.1:1234", []string{"198.51.100.1, unknown, 10.0.0.2"}, "", "", "10.0.0.2"},
		"none":                                    {"@", nil, "", "", "invalid IP"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("POST", "/api/events", nil)
			r.RemoteAddr = test.peer
			r.Header["X-Forwarded-For"] = test.forwarded
			r.Header.Set("x-datafast-real-ip", test.dataFast)
			r.Header.Set("X-Real-IP", test.real)
			require.Equal(t, test.want, proxies.Address(r).String())
		})
	}
}
