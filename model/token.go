package model

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"math/big"
	"strings"
	"time"
)

// The prefixes of tokens.
const (
	PrefixWebsiteKey   = "df_"
	PrefixAccountToken = "dft_"
)

const (
	base62        = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	tokenRandom   = 32 // base-62 characters, 190 bits
	tokenChecksum = 6  // base-62 characters of CRC-32
)

// Token is a website key or an account token as it is kept: its secret is only known by a hash.
type Token struct {
	ID         string
	Hash       []byte // SHA-256 of the secret
	Prefix     string // PrefixWebsiteKey or PrefixAccountToken
	LastFour   string
	Name       string
	AccountID  string
	WebsiteID  string   // of a website key; "" for an account token
	Scopes     []Scope  // of an account token
	WebsiteIDs []string // that limit an account token; empty means all of the account's
	CreatedAt  time.Time
	LastUsedAt *time.Time // to the minute
	ExpiresAt  *time.Time // nil means never
	RevokedAt  *time.Time
}

// Principal is who makes a request with the token.
func (t Token) Principal() *Principal {
	return &Principal{TokenID: t.ID, AccountID: t.AccountID, WebsiteID: t.WebsiteID, Scopes: t.Scopes, WebsiteIDs: t.WebsiteIDs}
}

// NewToken completes a token with a secret, which it answers. The secret is prefix, 32 random
// base-62 characters and a checksum of them; it can be shown once, since only its hash is kept.
func NewToken(t Token) (Token, string) {
	var text strings.Builder
	text.WriteString(t.Prefix)
	for range tokenRandom {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(base62))))
		if err != nil {
			panic(err) // crypto/rand never fails
		}
		text.WriteByte(base62[n.Int64()])
	}
	sum := checksum([]byte(text.String()))
	text.Write(sum[:])
	secret := text.String()
	t.Hash, t.LastFour = hashToken([]byte(secret)), secret[len(secret)-4:]
	return t, secret
}

// HashToken is the hash that a secret is found by. It is false for a text that cannot be a token, by
// its form or checksum, so that guesses and typing errors cost no query. The checksum is computed from the text alone
// and keeps nothing secret, so it is compared as any text is.
func HashToken(secret string) ([]byte, bool) {
	body, ok := strings.CutPrefix(secret, PrefixAccountToken)
	if !ok {
		body, ok = strings.CutPrefix(secret, PrefixWebsiteKey)
	}
	if !ok || len(body) != tokenRandom+tokenChecksum || strings.Trim(body, base62) != "" {
		return nil, false
	}
	raw, random := []byte(secret), len(secret)-tokenChecksum
	if checksum(raw[:random]) != [tokenChecksum]byte(raw[random:]) {
		return nil, false
	}
	return hashToken(raw), true
}

func hashToken(secret []byte) []byte {
	hash := sha256.Sum256(secret)
	return hash[:]
}

// checksum is the CRC-32 of a text as six base-62 characters.
func checksum(text []byte) (sum [tokenChecksum]byte) {
	rest := crc32.ChecksumIEEE(text)
	for i := range sum {
		sum[len(sum)-1-i] = base62[rest%uint32(len(base62))]
		rest /= uint32(len(base62))
	}
	return sum
}
