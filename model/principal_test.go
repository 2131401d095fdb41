package model_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestPrincipal(t *testing.T) {
	t.Parallel()
	key := &model.Principal{AccountID: "a", WebsiteID: "w"}
	reader := &model.Principal{AccountID: "a", Scopes: []model.Scope{model.ScopePaymentsRead}}
	everything := &model.Principal{AccountID: "a", Scopes: []model.Scope{model.ScopeAll}}
	limited := &model.Principal{AccountID: "a", Scopes: []model.Scope{model.ScopeAll}, WebsiteIDs: []string{"w"}}

	t.Run("has the scopes of its token; a key has all", func(t *testing.T) {
		t.Parallel()
		for _, scope := range model.Scopes {
			require.NoError(t, key.Require(scope))
			require.NoError(t, everything.Require(scope))
			if scope == model.ScopePaymentsRead {
				require.NoError(t, reader.Require(scope))
				continue
			}
			err := reader.Require(scope)
			requireFault(t, model.CodeForbidden, "", err)
			require.ErrorContains(t, err, string(scope))
		}
	})

	t.Run("selects a website", func(t *testing.T) {
		t.Parallel()
		for name, test := range map[string]struct {
			who       *model.Principal
			requested *string
			want      string
			code      model.Code
			field     string
		}{
			"a key its own":                           {key, nil, "w", "", ""},
			"a key its own by name":                   {key, pointer("w"), "w", "", ""},
			"a key no other":                          {key, pointer("x"), "", model.CodeForbidden, "websiteId"},
			"an account token the one it names":       {reader, pointer("x"), "x", "", ""},
			"an account token none without a name":    {reader, nil, "", model.CodeMissingField, "websiteId"},
			"a limited token one of its websites":     {limited, pointer("w"), "w", "", ""},
			"a limited token no other":                {limited, pointer("x"), "", model.CodeWebsiteNotFound, "websiteId"},
			"a token nothing by what cannot be an id": {everything, pointer("\x00"), "", model.CodeWebsiteNotFound, "websiteId"},
			"a token nothing by an empty id":          {everything, pointer(""), "", model.CodeWebsiteNotFound, "websiteId"},
		} {
			got, err := test.who.SelectWebsite(test.requested, model.ScopePaymentsRead)
			require.Equal(t, test.want, got, name)
			if test.code == "" {
				require.NoError(t, err, name)
			} else {
				requireFault(t, test.code, test.field, err)
			}
		}
		_, err := reader.SelectWebsite(pointer("w"), model.ScopePaymentsWrite)
		requireFault(t, model.CodeForbidden, "", err)
	})

	t.Run("owns websites", func(t *testing.T) {
		t.Parallel()
		own, sibling, foreign := model.Website{ID: "w", AccountID: "a"}, model.Website{ID: "x", AccountID: "a"}, model.Website{ID: "w", AccountID: "b"}
		for who, want := range map[*model.Principal][]bool{key: {true, false, true}, everything: {true, true, false}, limited: {true, false, false}} {
			require.Equal(t, want, []bool{who.OwnsWebsite(own), who.OwnsWebsite(sibling), who.OwnsWebsite(foreign)})
		}
	})

	t.Run("comes out of the context that it was put into", func(t *testing.T) {
		t.Parallel()
		_, err := model.PrincipalFrom(t.Context())
		requireFault(t, model.CodeUnauthorized, "", err)
		got, err := model.PrincipalFrom(model.WithPrincipal(t.Context(), key))
		require.NoError(t, err)
		require.Same(t, key, got)
		require.Empty(t, model.RequestID(t.Context()))
		require.Equal(t, "r", model.RequestID(model.WithRequestID(t.Context(), "r")))
	})
}

func TestWebsite(t *testing.T) {
	t.Parallel()
	require.NoError(t, model.Website{}.CheckWritable())
	requireFault(t, model.CodeWebsiteSuspended, "", model.Website{Suspended: true}.CheckWritable())
	require.Equal(t, "Europe/Berlin", berlin.Location().String())
	require.Equal(t, "UTC", model.Website{Timezone: "Gone/Zone"}.Location().String())
}

func TestPrincipal_tracker(t *testing.T) {
	t.Parallel()
	tracker := &model.Principal{TrackingID: "dfid_1"}
	for _, scope := range model.Scopes {
		require.False(t, tracker.Can(scope))
		_, err := tracker.SelectWebsite(nil, scope)
		require.Equal(t, model.CodeForbidden, model.AsError(err).Code)
	}
	require.False(t, tracker.OwnsWebsite(model.Website{ID: "site", TrackingID: "dfid_1", AccountID: "account"}))
}
