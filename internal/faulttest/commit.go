package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// maxMessage is more than any message that a server of ours sends to Postgres.
const maxMessage = 64 << 20

// commits is next for connections to Postgres: messages of its protocol, which may be cut where one commits.
func commits(from *bufio.Reader, isFirst bool) (message []byte, mayCut bool, err error) {
	kind := 1
	if isFirst { // the first message has no kind
		kind = 0
	}
	head, err := from.Peek(kind + 4)
	if err != nil {
		return nil, false, err
	}
	size := kind + int(binary.BigEndian.Uint32(head[kind:]))
	if size > maxMessage {
		return nil, false, errors.New("this is not the protocol of Postgres")
	}
	message = make([]byte, size)
	_, err = io.ReadFull(from, message)
	return message, !isFirst && message[0] == 'Q' && bytes.HasSuffix(message, []byte("COMMIT;\x00")), err
}
