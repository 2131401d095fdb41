// Package statements reads the SQL that Tributary sends, for tests: what a statement is apart from its values, and
// which websites it is about, as Postgres itself understands it.
package statements

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Split takes apart what was sent in one message.
func Split(message string) (texts []string) {
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			texts = append(texts, text)
		}
	}
	begin := 0
	for l := (lexer{rest: message}); l.next(); {
		if l.token == ";" {
			end := len(message) - len(l.rest)
			add(message[begin : end-1])
			begin = end
		}
	}
	add(message[begin:])
	return texts
}

// Shape is a statement without its values, and without how many they are: two statements that come from the same
// place and differ in their values only have the same one.
func Shape(text string) string {
	var shape []byte
	for l := (lexer{rest: text}); l.next(); {
		token := l.token
		switch strings.ToUpper(token) {
		case "NULL", "TRUE", "FALSE":
			token = "?"
		}
		if first := token[0]; first == '\'' || '0' <= first && first <= '9' {
			token = "?"
		}
		shape = append(shape, token...)
		for _, repeated := range []struct{ is, becomes string }{{"?.?", "?"}, {"?, ?", "?"}, {"(?), (?)", "(?)"}} {
			if strings.HasSuffix(string(shape[max(0, len(shape)-len(repeated.is)):]), repeated.is) {
				shape = append(shape[:len(shape)-len(repeated.is)], repeated.becomes...)
			}
		}
	}
	return strings.TrimSpace(string(shape))
}

// lexer reads SQL token by token: literals, names, numbers, comments and white space as a whole, all else a rune at a
// time. It expects strings as the standard has them, without escapes by a backslash.
type lexer struct{ token, rest string }

// next reads a token. It is false at the end.
func (l *lexer) next() bool {
	if l.rest == "" {
		return false
	}
	n := l.length()
	l.token, l.rest = l.rest[:n], l.rest[n:]
	return true
}

// length is that of the token at the beginning of the rest.
func (l *lexer) length() int {
	first, size := utf8.DecodeRuneInString(l.rest)
	switch {
	case first == '\'' || first == '"':
		return l.quoted(l.rest[:1], 1)
	case strings.HasPrefix(l.rest, "--"):
		return l.quoted("\n", 2)
	case strings.HasPrefix(l.rest, "/*"):
		return l.quoted("*/", 2)
	case first == '$':
		if end := strings.IndexByte(l.rest[1:], '$'); end >= 0 && isName(l.rest[1:1+end]) {
			return l.quoted(l.rest[:end+2], end+2)
		}
	case isName(l.rest[:size]):
		return size + len(l.rest[size:]) - len(strings.TrimLeftFunc(l.rest[size:], isLetter))
	case unicode.IsSpace(first):
		return len(l.rest) - len(strings.TrimLeftFunc(l.rest, unicode.IsSpace))
	}
	return size
}

// quoted is the length of what goes on to the mark. A quotation mark that is written twice is a part of what it
// quotes.
func (l *lexer) quoted(mark string, from int) int {
	for {
		end := strings.Index(l.rest[from:], mark)
		if end < 0 {
			return len(l.rest)
		}
		from += end + len(mark)
		if mark != "'" && mark != `"` || !strings.HasPrefix(l.rest[from:], mark) {
			return from
		}
		from += len(mark)
	}
}

func isName(text string) bool { return strings.TrimLeftFunc(text, isLetter) == "" }

func isLetter(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
