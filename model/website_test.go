package model_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestWebsite_hostnames(t *testing.T) {
	t.Parallel()
	site := shop
	site.Hostnames = []string{"müller.example", "localhost"}
	for address, own := range map[string]bool{
		"https://shop.example/": true, "https://WWW.SHOP.example.:8443/": true, "https://xn--mller-kva.example/": true, "https://a.MÜLLER.example/": true,
		"http://localhost:5173/": true, "http://127.0.0.2/": true, "http://[::1]:80/": true,
		"https://muller.example/": false, "https://notshop.example/": false, "http://128.0.0.1/": false, "https://localhost.example/": false,
	} {
		err := site.CheckPage(address)
		if own {
			require.NoError(t, err, address)
		} else {
			require.Equal(t, []string{"url"}, faultFields(err), address)
			require.Equal(t, model.CodeHostnameNotAllowed, model.AsError(err).Code)
		}
		view, err := model.RecordVisitInput{VisitorID: "v", URL: "https://shop.example/", Referrer: &address}.Validate(site, noon, nil)
		require.NoError(t, err)
		require.Equal(t, own, view.Returning, "%s is a source", address)
		require.Equal(t, own, view.Source == model.SourceDirect, address)
	}
	for _, address := range []string{"", "file:///a", "app://x", "https://", "\x00"} {
		require.NoError(t, site.CheckPage(address), "another check refuses it")
	}
}
