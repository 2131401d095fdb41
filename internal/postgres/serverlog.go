package postgres

import (
	"bytes"
	"errors"
	"io"
	"os"
)

const (
	logMaxBytes  = 10 << 20 // unless the configuration says otherwise
	logTailBytes = 4 << 10
	logTailLines = 15
)

// serverLog is the file that servers append their messages to.
type serverLog struct {
	path     string
	maxBytes int64
}

// openLogFile is the log with the place where a server's messages begin.
type openLogFile struct {
	*os.File
	start int64
}

// open shortens the log if needed and opens it for a server.
func (l serverLog) open() (*openLogFile, error) {
	if err := l.limit(); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &openLogFile{File: file, start: info.Size()}, nil
}

// limit moves a log that has become too long aside. It is copied and emptied rather than renamed, because a running
// server has it open; that server appends, so it goes on at the new end.
func (l serverLog) limit() error {
	info, err := os.Stat(l.path)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() <= l.maxBytes {
		return nil
	}
	if err != nil {
		return err
	}
	from, err := os.Open(l.path)
	if err != nil {
		return err
	}
	defer from.Close()
	if _, err := from.Seek(-l.maxBytes, io.SeekEnd); err != nil {
		return err
	}
	to, err := os.OpenFile(l.path+".1", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, io.LimitReader(from, l.maxBytes))
	return errors.Join(err, to.Close(), os.Truncate(l.path, 0))
}

// tail is the last lines that were written since the log was opened.
func (f *openLogFile) tail() string {
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	from := max(f.start, info.Size()-logTailBytes)
	text, err := io.ReadAll(io.NewSectionReader(f, from, logTailBytes))
	if err != nil {
		return ""
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-logTailLines):], []byte("\n")))
}
