// Package clientip finds out from which address and country a request comes. Addresses are neither stored nor
// logged.
package clientip

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the networks of the proxies in front of the server: what the headers of others say is not
// believed.
type Proxies []netip.Prefix

// trust says whether an address is that of a proxy.
func (p Proxies) trust(address netip.Addr) bool {
	return slices.ContainsFunc(p, func(network netip.Prefix) bool { return network.Contains(address) })
}

// Address is the address of the client that a request comes from: of the peer, or, if that is one of the
// proxies, the last address in X-Forwarded-For that is not. If all of them are proxies, their
// X-Datafast-Real-Ip or X-Real-Ip says who the client is. The zero value if none of this is an address.
func (p Proxies) Address(r *http.Request) netip.Addr {
	address := parse(r.RemoteAddr)
	if !p.trust(address) {
		return address
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		before := parse(hop)
		if !before.IsValid() {
			break // what stands before it may come from anybody
		}
		if address = before; !p.trust(address) {
			return address
		}
	}
	for _, name := range []string{"X-Datafast-Real-Ip", "X-Real-Ip"} {
		if named := parse(r.Header.Get(name)); named.IsValid() {
			return named
		}
	}
	return address
}

// networkBits is the part of an IPv6 address that a client cannot choose.
const networkBits = 64

// Client is the part of an address that tells clients apart: all of an IPv4 address, and the /64 network of an
// IPv6 address.
func Client(address netip.Addr) netip.Addr {
	if address.Is6() {
		network, _ := address.Prefix(networkBits)
		return network.Addr()
	}
	return address
}

// FromProxy says whether the peer of a request is one of the proxies.
func (p Proxies) FromProxy(r *http.Request) bool { return p.trust(parse(r.RemoteAddr)) }

// IsLocal says whether the peer of a request is this machine or one of a private network.
func IsLocal(r *http.Request) bool {
	peer := parse(r.RemoteAddr)
	return peer.IsLoopback() || peer.IsPrivate()
}

// parse reads an address with or without a port; the zero value if it is none. An IPv4 address has one
// form, and no address has a zone.
func parse(text string) netip.Addr {
	text = strings.TrimSpace(text)
	if both, err := netip.ParseAddrPort(text); err == nil {
		return both.Addr().Unmap().WithZone("")
	}
	address, _ := netip.ParseAddr(strings.Trim(text, "[]"))
	return address.Unmap().WithZone("")
}
