package model_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

// object is a JSON object of n attributes.
func object(n int) string {
	attributes := make([]string, n)
	for i := range attributes {
		attributes[i] = fmt.Sprintf(`"k%d":%d`, i, i)
	}
	return "{" + strings.Join(attributes, ",") + "}"
}

func TestParseMetadata(t *testing.T) {
	t.Parallel()
	t.Run("keeps primitive values as they were written", func(t *testing.T) {
		t.Parallel()
		m, err := model.ParseMetadata([]byte(` {"plan":"starter","seats":3,"rate":1.50,"big":12345678901234567890,"trial":false,"note":null,"\u0061":"\ud83e\udd8a"} `))
		require.NoError(t, err)
		require.Equal(t, model.Metadata{
			"plan": "starter", "seats": json.Number("3"), "rate": json.Number("1.50"), "big": json.Number("12345678901234567890"), "trial": false, "note": nil, "a": "🦊",
		}, m)
	})
	t.Run("tells none from empty", func(t *testing.T) {
		t.Parallel()
		m, err := model.ParseMetadata([]byte(" null\n"))
		require.NoError(t, err)
		require.Nil(t, m)
		m, err = model.ParseMetadata([]byte("{}"))
		require.NoError(t, err)
		require.NotNil(t, m)
		require.Empty(t, m)
	})
	t.Run("accepts up to the limits", func(t *testing.T) {
		t.Parallel()
		for _, raw := range []string{
			object(10), `{"` + strings.Repeat("é", 64) + `":1}`, `{"a":"` + strings.Repeat("é", 255) + `"}`, `{"a":` + strings.Repeat("9", 64) + `}`,
			`{"a":1e400,"b":-1e-400}`, `{"a":""}`,
		} {
			m, err := model.ParseMetadata([]byte(raw))
			require.NoError(t, err, raw)
			require.NoError(t, m.Validate())
		}
	})
	t.Run("refuses what is beyond them", func(t *testing.T) {
		t.Parallel()
		for _, raw := range []string{
			object(11), object(10_000), `{"":1}`, `{"` + strings.Repeat("é", 65) + `":1}`, `{"a":"` + strings.Repeat("é", 256) + `"}`, `{"a":` + strings.Repeat("9", 65) + `}`,
			`{"a":1e401}`, `{"a":1e-401}`, `{"a":1E1000000000}`, `{"a":"\u0000"}`, `{"a\u0000":1}`,
			`{"a":{}}`, `{"a":[]}`, `{"a":{"b":1}}`, `{"a":[1]}`,
		} {
			_, err := model.ParseMetadata([]byte(raw))
			requireCode(t, model.CodeInvalidMetadata, err, raw)
		}
	})
	t.Run("refuses what is no object", func(t *testing.T) {
		t.Parallel()
		for _, raw := range []string{"", " ", "[]", "1", `"a"`, "true", "nul", "{", `{"a"`, `{"a":1`, `{a:1}`, `{"a":01}`, `[{"a":1}]`} {
			_, err := model.ParseMetadata([]byte(raw))
			requireCode(t, model.CodeInvalidMetadata, err, raw)
		}
	})
}

func TestMetadata_Set(t *testing.T) {
	t.Parallel()
	m := model.Metadata{}
	for i := range 10 {
		require.NoError(t, m.Set(fmt.Sprint(i), "x"))
	}
	require.NoError(t, m.Set("0", json.Number("1.50")))
	require.Equal(t, json.Number("1.50"), m["0"])
	requireCode(t, model.CodeInvalidMetadata, m.Set("10", nil), "an attribute too many")
	requireCode(t, model.CodeInvalidMetadata, model.Metadata{}.Set("", nil), "no key")
	requireCode(t, model.CodeInvalidMetadata, model.Metadata{}.Set("a", []byte("{}")), "no primitive value")
}

func TestMetadata_Validate(t *testing.T) {
	t.Parallel()
	require.NoError(t, model.Metadata(nil).Validate())
	require.NoError(t, model.Metadata{"a": "b", "n": json.Number("1.5"), "t": true, "z": nil}.Validate())
	for _, value := range []any{
		map[string]any{}, []any{}, 1, 1.5, int64(1), []string{"a"}, struct{}{}, json.Number("x"), json.Number(""), json.Number("01"), json.Number("1e401"), "\x00", "\xff",
	} {
		requireCode(t, model.CodeInvalidMetadata, model.Metadata{"a": value}.Validate(), "")
	}
	many := model.Metadata{}
	for i := range 11 {
		many[fmt.Sprint(i)] = nil
	}
	requireCode(t, model.CodeInvalidMetadata, many.Validate(), "")
}

func TestMetadata_Equal(t *testing.T) {
	t.Parallel()
	m := func(raw string) model.Metadata {
		parsed, err := model.ParseMetadata([]byte(raw))
		require.NoError(t, err)
		return parsed
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`{}`, `null`, true}, {`{"a":1,"b":"x"}`, `{"b":"x","a":1}`, true}, {`{"a":1e2}`, `{"a":100}`, true}, {`{"a":1.50}`, `{"a":1.5}`, true}, {`{"a":-0.0}`, `{"a":0}`, true},
		{`{"a":12345678901234567890}`, `{"a":12345678901234567891}`, false}, {`{"a":1}`, `{"a":-1}`, false}, {`{"a":1}`, `{"a":10}`, false}, {`{"a":1}`, `{"a":"1"}`, false},
		{`{"a":null}`, `{"b":null}`, false}, {`{"a":null}`, `{}`, false}, {`{"a":true}`, `{"a":true}`, true}, {`{"a":true}`, `{"a":false}`, false}, {`{"a":null}`, `{"a":false}`, false},
	} {
		require.Equal(t, c.want, m(c.a).Equal(m(c.b)), "%s %s", c.a, c.b)
		require.Equal(t, c.want, m(c.b).Equal(m(c.a)), "%s %s", c.b, c.a)
	}
	unchecked := model.Metadata{"a": []any{1}}
	require.True(t, unchecked.Equal(unchecked), "values that Validate refuses do not panic")
}

func FuzzParseMetadata(f *testing.F) {
	for _, s := range []string{
		`{"plan":"starter","n":1.50,"t":true,"z":null}`, `null`, `{}`, `[]`, `{"a":1,"a":2}`, `{"a":{}}`, `{"a":1e999}`, `{"a":"\u0000"}`, `{"a":"\ud800"}`, `{} {}`, "{\"a\":\"\xff\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := model.ParseMetadata(raw)
		if err != nil {
			require.NotNil(t, model.AsError(err))
			return
		}
		require.NoError(t, m.Validate())
		written, err := json.Marshal(m)
		require.NoError(t, err)
		again, err := model.ParseMetadata(written)
		require.NoError(t, err)
		require.True(t, m.Equal(again))
	})
}

func BenchmarkParseMetadata(b *testing.B) {
	raw := []byte(`{"plan":"starter","provider":"custom_checkout","seats":3}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := model.ParseMetadata(raw); err != nil {
			b.Fatal(err)
		}
	}
}
