package openapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"tributary/model"
	"tributary/openapi"
)

func load(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openapi.YAML)
	require.NoError(t, err)
	return doc
}

func TestYAML(t *testing.T) {
	t.Parallel()
	doc := load(t)

	t.Run("is a valid OpenAPI document", func(t *testing.T) {
		t.Parallel()
		require.NoError(t, doc.Validate(t.Context()))
	})

	t.Run("lists the reason of every error code and no other", func(t *testing.T) {
		t.Parallel()
		want := map[string]bool{}
		for _, code := range model.Codes {
			want[code.Reason()] = true
		}
		got := map[string]bool{}
		for _, reason := range doc.Components.Schemas["ErrorReason"].Value.Enum {
			got[reason.(string)] = true
			require.True(t, openapi.ErrorReason(reason.(string)).Valid(), "the generated server lacks %s", reason)
		}
		require.Empty(t, cmp.Diff(want, got))
	})

	t.Run("has examples that its schemas accept", func(t *testing.T) {
		t.Parallel()
		examples := 0
		check := func(where string, schema *openapi3.SchemaRef, value any) {
			examples++
			require.NoError(t, doc.ValidateSchemaJSON(schema.Value, value, openapi3.EnableJSONSchema2020()), where)
		}
		content := func(where string, content openapi3.Content) {
			for mediaType, media := range content {
				require.True(t, media.Example != nil || len(media.Examples) > 0, "%s: no example", where)
				if media.Example != nil {
					check(where, media.Schema, media.Example)
				}
				for name, example := range media.Examples {
					check(where+" "+mediaType+" "+name, media.Schema, example.Value.Value)
				}
			}
		}
		for path, item := range doc.Paths.Map() {
			for method, operation := range item.Operations() {
				where := method + " " + path
				if operation.RequestBody != nil {
					content(where+" request", operation.RequestBody.Value.Content)
				}
				for status, response := range operation.Responses.Map() {
					content(where+" "+status, response.Value.Content)
				}
			}
		}
		for name, schema := range doc.Components.Schemas {
			for property, s := range schema.Value.Properties {
				for i, example := range s.Value.Examples {
					check(fmt.Sprintf("%s.%s example %d", name, property, i), s, example)
				}
			}
		}
		require.NotZero(t, examples)
	})

	t.Run("tells the dialects apart", func(t *testing.T) {
		t.Parallel()
		request := doc.Components.Schemas["RecordPaymentRequest"].Value
		for body, valid := range map[string]bool{
			`{"amount":29.99,"currency":"USD","transaction_id":"t"}`:                                                      true,
			`{"amount":29.99,"currency":"USD","transaction_id":"t","custmer_id":"c"}`:                                     true,
			`{"amount":29.99,"currency":"USD","transaction_id":"t","email":null,"renewal":null,"metadata":null}`:          true,
			`{"amount":29.99,"currency":"USD","transaction_id":"t","faurya_visitor_id":"v"}`:                              true,
			`{"amount":0,"currency":"USD","transaction_id":"t"}`:                                                          true,
			`{"amount":0,"transaction_id":"t","faurya_visitor_id":"v"}`:                                                   false,
			`{"amount":29.99,"transaction_id":"t"}`:                                                                       false,
			`{"amount":29.99,"currency":"USD","transaction_id":"t","faurya_session_id":"s"}`:                              false,
			`{"amount":29.99,"currency":"USD","transaction_id":"t","faurya_visitor_id":"v","datafast_visitor_id":"v"}`:    false,
			`{"amount":29.99,"currency":"USD","transaction_id":"t","metadata":{"a":1,"b":"x","c":true,"d":null}}`:         true,
			`{"amount":29.99,"currency":"USD","transaction_id":"t","metadata":{"a":{}}}`:                                  false,
			`{"amount":29.99,"currency":"USD","transaction_id":"t","metadata":{"` + strings.Repeat("k", 65) + `":1}}`:     false,
			`{"amount":"29.99","currency":"USD","transaction_id":"t"}`:                                                    false,
			`{"amount":29.99,"currency":"USD","transaction_id":null}`:                                                     false,
			`{"amount":29.99,"currency":"USD","transaction_id":"t","refunded":"true"}`:                                    false,
			`{"amount":29.99,"currency":"ÜSD","transaction_id":"t"}`:                                                      false,
			`{"amount":29.99,"currency":"usd","transaction_id":"t","is_free_trial":true,"timestamp":"2026-05-01 12:00"}`:  true,
			`{"amount":29.99,"currency":"usd","transaction_id":"` + strings.Repeat("t", 256) + `","is_free_trial":false}`: false,
		} {
			var value any
			require.NoError(t, json.Unmarshal([]byte(body), &value))
			err := doc.ValidateSchemaJSON(request, value, openapi3.EnableJSONSchema2020())
			require.Equal(t, valid, err == nil, "%s: %v", body, err)
		}
	})
}

func TestJSON(t *testing.T) {
	t.Parallel()

	t.Run("is the same document as the YAML", func(t *testing.T) {
		t.Parallel()
		var fromYAML, fromJSON any
		require.NoError(t, yaml.Unmarshal(openapi.YAML, &fromYAML))
		plain, err := json.Marshal(fromYAML)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(plain, &fromYAML))
		require.NoError(t, json.Unmarshal(openapi.JSON(), &fromJSON))
		require.Empty(t, cmp.Diff(fromYAML, fromJSON))
	})

	t.Run("keeps the order of the keys", func(t *testing.T) {
		t.Parallel()
		require.True(t, strings.HasPrefix(string(openapi.JSON()), `{"openapi":"3.1.0","info":{"title":"`))
	})
}
