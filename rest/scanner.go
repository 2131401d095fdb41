package rest

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"tributary/model"
)

// maxDepth is how many objects and arrays a body has inside one another at most, itself among them.
const maxDepth = 10_000

// scanner takes JSON text apart from its beginning, in one pass and as strictly as RFC 8259 allows. At the
// first fault it goes to the end of the text, where it finds nothing any more.
type scanner struct {
	text []byte // valid UTF-8
	at   int
	err  error // the first fault
}

func (s *scanner) fail(message string) {
	if s.err == nil {
		s.err = model.Errorf(model.CodeInvalidJSON, "", "%s", message)
	}
	s.at = len(s.text)
}

func (s *scanner) failSyntax() { s.fail("the body is not valid JSON: send exactly one JSON object") }

func (s *scanner) failUnicode() { s.fail("the body is not valid Unicode text") }

// next is the byte that comes next; at the end 0, which JSON has nowhere.
func (s *scanner) next() byte {
	if s.at == len(s.text) {
		return 0
	}
	return s.text[s.at]
}

// skip takes a byte if it comes next.
func (s *scanner) skip(b byte) bool {
	if s.next() != b {
		return false
	}
	s.at++
	return true
}

// space takes white space.
func (s *scanner) space() {
	for b := s.next(); b == ' ' || b == '\n' || b == '\r' || b == '\t'; b = s.next() {
		s.at++
	}
}

// sign takes a sign of the syntax if it comes next, and the white space after it.
func (s *scanner) sign(b byte) bool {
	if !s.skip(b) {
		return false
	}
	s.space()
	return true
}

// need takes a sign that must come next.
func (s *scanner) need(b byte) {
	if !s.sign(b) {
		s.failSyntax()
	}
}

// key takes the key of a member, with its colon.
func (s *scanner) key() []byte {
	key := s.quoted()
	s.space()
	s.need(':')
	return key
}

// value takes a value of any kind, and the white space after it. What is open is kept in a list, since on Go's
// stack a body that nests deep would take a hundred times its size.
func (s *scanner) value() []byte {
	start := s.at
	var open []byte // the signs that close it, the innermost last
	for {
		switch b := s.next(); {
		case b != '{' && b != '[':
			s.scalar()
		case len(open)+1 == maxDepth:
			s.failSyntax()
		default:
			s.sign(b)
			open = append(open, b+2) // in ASCII } is two after {, and ] two after [
			if s.next() != b+2 {
				if b == '{' {
					s.key()
				}
				continue
			}
		}
		end := s.at
		for s.space(); len(open) > 0 && s.skip(open[len(open)-1]); s.space() {
			open, end = open[:len(open)-1], s.at
		}
		if len(open) == 0 || s.err != nil {
			return s.text[start:end]
		}
		s.need(',')
		if open[len(open)-1] == '}' {
			s.key()
		}
	}
}

// scalar takes a string, a number, true, false or null.
func (s *scanner) scalar() {
	switch s.next() {
	case '"':
		s.quoted()
	case 't':
		s.word("true")
	case 'f':
		s.word("false")
	case 'n':
		s.word("null")
	default:
		s.number()
	}
}

func (s *scanner) word(word string) {
	if !bytes.HasPrefix(s.text[s.at:], []byte(word)) {
		s.failSyntax()
		return
	}
	s.at += len(word)
}

func (s *scanner) number() {
	s.skip('-')
	if !s.skip('0') {
		s.digits()
	}
	if s.skip('.') {
		s.digits()
	}
	if s.skip('e') || s.skip('E') {
		if !s.skip('-') {
			s.skip('+')
		}
		s.digits()
	}
}

// digits takes one digit or more.
func (s *scanner) digits() {
	start := s.at
	for s.next() >= '0' && s.next() <= '9' {
		s.at++
	}
	if s.at == start {
		s.failSyntax()
	}
}

// quoted takes a string, with its quotation marks.
func (s *scanner) quoted() []byte {
	start := s.at
	if !s.skip('"') {
		s.failSyntax()
	}
	for {
		s.at += plain(s.text[s.at:])
		switch s.next() {
		case '"':
			s.at++
			return s.text[start:s.at]
		case '\\':
			s.escape()
		default:
			s.failSyntax()
			return nil
		}
	}
}

// plain is how many bytes stand for themselves at the beginning of a string's text.
func plain(text []byte) int {
	for i, b := range text {
		if b == '"' || b == '\\' || b < ' ' {
			return i
		}
	}
	return len(text)
}

// escape takes an escape, and is the character that it stands for. That of one half of a character must be
// followed by that of the other: with U+FFFD in the place of a half, two different ids would become one.
func (s *scanner) escape() rune {
	s.at++ // the backslash
	if s.next() != 'u' {
		i := strings.IndexByte(`"\/bfnrt`, s.next())
		if i < 0 {
			s.failSyntax()
			return utf8.RuneError
		}
		s.at++
		return rune("\"\\/\b\f\n\r\t"[i])
	}
	char := s.unit()
	if char < 0 {
		s.failSyntax()
	}
	if utf16.IsSurrogate(char) {
		other := rune(-1)
		if s.skip('\\') {
			other = s.unit()
		}
		if char = utf16.DecodeRune(char, other); char == utf8.RuneError {
			s.failUnicode()
		}
	}
	return char
}

// unit takes the uXXXX of an escape, and is its UTF-16 unit; negative if that is not what comes next.
func (s *scanner) unit() rune {
	end := s.at + len("uXXXX")
	if s.next() != 'u' || end > len(s.text) {
		return -1
	}
	unit, err := strconv.ParseUint(string(s.text[s.at+1:end]), 16, 16)
	if err != nil {
		return -1
	}
	s.at = end
	return rune(unit)
}

// unquote is the text of a valid string.
func unquote(quoted []byte) []byte {
	s := scanner{text: quoted[1 : len(quoted)-1]}
	if bytes.IndexByte(s.text, '\\') < 0 {
		return s.text
	}
	text := make([]byte, 0, len(s.text))
	for s.at < len(s.text) {
		n := plain(s.text[s.at:])
		text = append(text, s.text[s.at:s.at+n]...)
		if s.at += n; s.at < len(s.text) {
			text = utf8.AppendRune(text, s.escape())
		}
	}
	return text
}
