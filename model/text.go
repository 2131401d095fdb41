package model

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of text.
const (
	maxIDBytes    = 255
	maxEmailBytes = 320
	maxNameLength = 255 // characters
)

// CheckID checks the id of a transaction, visitor, session or customer: 1 to 255 bytes of valid
// UTF-8 without control characters, without U+FFFD (what decoders put where text was broken), and
// without space at its ends. Ids are compared byte by byte. Error: CodeInvalidField.
func CheckID(s string) error {
	switch {
	case s == "":
		return Errorf(CodeInvalidField, "", "must not be empty")
	case len(s) > maxIDBytes:
		return Errorf(CodeInvalidField, "", "must have at most %d bytes", maxIDBytes)
	case !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError):
		return Errorf(CodeInvalidField, "", "must be valid UTF-8 without replacement characters")
	case strings.ContainsFunc(s, unicode.IsControl):
		return Errorf(CodeInvalidField, "", "must not contain control characters")
	case strings.TrimSpace(s) != s:
		return Errorf(CodeInvalidField, "", "must not begin or end with a space")
	}
	return nil
}

// CheckEmail checks an e-mail address only as far as to tell it from other text: one @ with
// something on both sides, no spaces or control characters, valid UTF-8, at most 320 bytes.
// Error: CodeInvalidField.
func CheckEmail(s string) error {
	local, domain, _ := strings.Cut(s, "@")
	switch {
	case len(s) > maxEmailBytes:
		return Errorf(CodeInvalidField, "", "must have at most %d bytes", maxEmailBytes)
	case !utf8.ValidString(s):
		return Errorf(CodeInvalidField, "", "must be valid UTF-8")
	case local == "" || domain == "" || strings.Contains(domain, "@"):
		return Errorf(CodeInvalidField, "", "must be an e-mail address: one @ with something on both sides")
	case strings.ContainsFunc(s, unicode.IsSpace) || strings.ContainsFunc(s, unicode.IsControl):
		return Errorf(CodeInvalidField, "", "must not contain spaces or control characters")
	}
	return nil
}

// CheckName checks a person's name: valid UTF-8, no NUL, at most 255 characters. Error:
// CodeInvalidField.
func CheckName(s string) error {
	switch {
	case !isText(s):
		return Errorf(CodeInvalidField, "", "must be valid UTF-8 without NUL")
	case utf8.RuneCountInString(s) > maxNameLength:
		return Errorf(CodeInvalidField, "", "must have at most %d characters", maxNameLength)
	}
	return nil
}

// isText says whether Postgres can store s as text.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// FoldEmail is the form in which e-mail addresses are compared: two fold to the same text if and
// only if they differ in nothing but case, as strings.EqualFold has it (Unicode simple folding, of
// no language: İ and ı are letters of their own). It does not normalise accents, nor know any mail
// provider's rules on dots or tags. Folding twice changes nothing.
func FoldEmail(s string) string { return strings.Map(foldRune, s) }

// foldRune picks one of the characters that differ from r only in case, a lower-case one if it can.
func foldRune(r rune) rune {
	switch {
	case r >= 'A' && r <= 'Z':
		return r - 'A' + 'a'
	case r < utf8.RuneSelf:
		return r
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if unicode.SimpleFold(r) == r {
		return r
	}
	return unicode.ToLower(least)
}
