package rates

import (
	"bytes"
	"errors"
)

// itemMax is how many bytes a line of CSV or an element of XML has at most. The longest line of the European
// Central Bank has some hundreds; one of many millions of empty fields would take a hundred times its size in memory.
const itemMax = 64 << 10

var errItemTooLong = errors.New("a line or element of it has more than 64 KB")

// bounded reads a file item by item. What reads ahead may pass itemMax by as much as it reads at once.
type bounded struct {
	from *bytes.Reader
	left int // of the current item
}

func newBounded(data []byte) *bounded { return &bounded{from: bytes.NewReader(data)} }

// next begins another item.
func (b *bounded) next() { b.left = itemMax }

// Read implements io.Reader. Error: errItemTooLong.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errItemTooLong
	}
	n, err := b.from.Read(p)
	b.left -= n
	return n, err
}
