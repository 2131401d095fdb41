package server

import (
	"crypto/rand"
	"encoding/hex"
)

// newRequestID is 16 random hexadecimal characters: enough to find one request in a log.
func newRequestID() string {
	var raw [8]byte
	_, _ = rand.Read(raw[:])
	return hex.EncodeToString(raw[:])
}
