package model_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"tributary/model"
)

func TestCheckID(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"t1", "payment_456", strings.Repeat("a", 255), strings.Repeat("é", 127), "a b", "'; DROP TABLE payments; --",
		"<script>alert(1)</script>", "{{7*7}}", "💳", "e\u0301", "a\u200bb",
	} {
		require.NoError(t, model.CheckID(s), "%q", s)
	}
	for _, s := range []string{
		"", strings.Repeat("a", 256), strings.Repeat("é", 128), "a\x00b", "a\nb", "a\tb", "\x1f", "a\x7f", "a\u0080b", "a\u009f", "\xff", "a\xc3", "\xed\xa0\x80", "a\ufffdb",
		" a", "a ", " ", "\u00a0a", "a\u3000", "\u2003a", "a\u2028", "a\n",
	} {
		requireCode(t, model.CodeInvalidField, model.CheckID(s), s)
	}
}

func TestCheckEmail(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"a@b", "Jane.Doe+tag@Example.com", "用户@例子.公司", "o'brien@example.com", strings.Repeat("a", 318) + "@b"} {
		require.NoError(t, model.CheckEmail(s), "%q", s)
	}
	for _, s := range []string{
		"", "a", "@", "a@", "@b", "a@@b", "a@b@c", "a @b", "a@b ", " a@b", "a@b\u00a0c", "a\t@b", "a\x00@b", "a\x7f@b", "a@b\u0085", "a@\xff", strings.Repeat("a", 319) + "@b",
	} {
		requireCode(t, model.CodeInvalidField, model.CheckEmail(s), s)
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "Jane", "Zoë 🦊", " outer space ", "two\nlines", strings.Repeat("é", 255)} {
		require.NoError(t, model.CheckName(s), "%q", s)
	}
	for _, s := range []string{"a\x00", "\xff", strings.Repeat("a", 256), strings.Repeat("é", 256)} {
		requireCode(t, model.CodeInvalidField, model.CheckName(s), s)
	}
}

func TestFoldEmail(t *testing.T) {
	t.Parallel()
	t.Run("is readable", func(t *testing.T) {
		t.Parallel()
		for in, want := range map[string]string{
			"Jane.Doe@Example.COM": "jane.doe@example.com", "JOSÉ@x.com": "josé@x.com", "ΣΑΣ@x.gr": "σασ@x.gr", "σας@x.gr": "σασ@x.gr", "K@x": "k@x",
			"ISTANBUL@x": "istanbul@x", "İ@x": "İ@x", "ı@x": "ı@x", "straße@x": "straße@x", "a@b": "a@b",
		} {
			require.Equal(t, want, model.FoldEmail(in))
		}
	})
	t.Run("folds what differs in case only, and nothing else", func(t *testing.T) {
		t.Parallel()
		for r := rune(0); r <= unicode.MaxRune; r++ {
			if !utf8.ValidRune(r) {
				continue
			}
			s, other := string(r), string(unicode.SimpleFold(r))
			folded := model.FoldEmail(s)
			if folded != model.FoldEmail(other) || folded != model.FoldEmail(folded) || !strings.EqualFold(s, folded) {
				t.Fatalf("%U folds to %q", r, folded)
			}
		}
	})
}

// TestErrors_echo passes a canary through everything that reads text.
func TestErrors_echo(t *testing.T) {
	t.Parallel()
	const canary = "canary"
	for _, sent := range []string{canary, canary + "\x00", canary + strings.Repeat("x", 400), "2026-05-01 " + canary, "1" + canary, "2026-05-01T10:00:00 " + canary} {
		_, currency := model.ParseCurrency(sent)
		_, decimal := model.ParseDecimal(sent)
		_, amount := model.NewMoney(model.Decimal(sent), "USD")
		_, code := model.NewMoney("1", model.Currency(sent))
		_, sum := model.ParseSum(sent, "USD")
		_, timestamp := model.ParseTimestamp(sent)
		_, timezone := model.ParseTimezone(sent)
		_, metadata := model.ParseMetadata([]byte(sent))
		_, key := model.ParseMetadata([]byte(`{"` + canary + `":[]}`))
		attribute := model.Metadata{}.Set(canary, []byte(sent))
		id, email, name := model.CheckID(sent+"\x00"), model.CheckEmail(sent), model.CheckName(sent+"\x00")
		for _, err := range []error{currency, decimal, amount, code, sum, timestamp, timezone, metadata, key, attribute, id, email, name} {
			require.Error(t, err, "%q", sent)
			require.NotContains(t, err.Error(), canary)
		}
	}
}

func FuzzCheckText(f *testing.F) {
	for _, s := range []string{"t1", "", " a", "a\x00", "a@b", "a@b@c", "\xff", "a\ufffd", "\u0085", strings.Repeat("é", 128)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if err := model.CheckID(s); err == nil {
			require.True(t, utf8.ValidString(s) && len(s) >= 1 && len(s) <= 255 && s == strings.TrimSpace(s))
			require.False(t, strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }))
		} else {
			requireCode(t, model.CodeInvalidField, err, "")
		}
		if err := model.CheckEmail(s); err == nil {
			require.Equal(t, 1, strings.Count(s, "@"))
			folded := model.FoldEmail(s)
			require.Equal(t, folded, model.FoldEmail(folded))
			require.True(t, strings.EqualFold(s, folded))
		} else {
			requireCode(t, model.CodeInvalidField, err, "")
		}
		if model.CheckName(s) == nil {
			require.True(t, utf8.ValidString(s) && utf8.RuneCountInString(s) <= 255 && !strings.Contains(s, "\x00"))
		}
	})
}

func BenchmarkCheckID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if err := model.CheckID("f47ac10b-58cc-4372-a567-0e02b2c3d479"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFoldEmail(b *testing.B) {
	for name, s := range map[string]string{"lower": "jane.doe@example.com", "mixed": "Jane.Doe@Example.com", "accents": "JOSÉ@example.com"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = model.FoldEmail(s)
			}
		})
	}
}
