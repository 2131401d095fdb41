// Package rates reads exchange rates as they are published: the files of the European Central Bank, and a
// simple CSV of one's own. It also keeps those of a running server fresh.
package rates

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"tributary/model"
)

// ECB is the source of the European Central Bank's files.
const ECB = "European Central Bank"

// The limits of a file. The whole history of the European Central Bank has a tenth of the bytes, as XML,
// and a quarter of the rates.
const (
	MaxBytes = 64 << 20 // also when it is unpacked
	maxRates = 1_000_000
)

// File is what a file says.
type File struct {
	Rates []model.Rate // each day and currency once
	// Skipped is how many rates were skipped by the code of their currency, which is none that money can
	// be paid in any more, such as that of the Cyprus pound.
	Skipped map[string]int
}

// Parse reads a file: the European Central Bank's XML (of a day, of 90 days, of all time), its CSV (zipped
// or not), or a CSV with the columns date, currency and per_euro. The source is who published the rates; ""
// leaves that to the file. The error names the line and what is wrong there; then nothing counts.
func Parse(data []byte, source string) (File, error) {
	if source != "" {
		if err := model.CheckName(source); err != nil {
			return File{}, fmt.Errorf("the source %w", plain(err))
		}
	}
	p := parser{source: source, kept: map[key]model.Decimal{}}
	err := p.parse(data)
	if err == nil && len(p.file.Rates) == 0 && len(p.file.Skipped) == 0 {
		err = errors.New("there is no rate in it")
	}
	if err != nil {
		return File{}, err
	}
	return p.file, nil
}

// parser collects the rates of a file.
type parser struct {
	source string // "" if the file says it
	file   File
	kept   map[key]model.Decimal
}

type key struct {
	date     model.Date
	currency model.Currency
}

func (p *parser) parse(data []byte) error {
	if len(data) > MaxBytes {
		return errTooLarge()
	}
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		var err error
		if data, err = unpack(data); err != nil {
			return err
		}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("<")) {
		return p.xml(data)
	}
	return p.csv(data)
}

func errTooLarge() error { return fmt.Errorf("it is larger than %d MB", MaxBytes>>20) }

// unpack is the one file in a zip archive.
func unpack(data []byte) ([]byte, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("it is a zip archive that cannot be read: %w", err)
	}
	if len(archive.File) != 1 {
		return nil, fmt.Errorf("it is a zip archive of %d files, not of one", len(archive.File))
	}
	file, err := archive.File[0].Open()
	if err != nil {
		return nil, fmt.Errorf("it is a zip archive that cannot be read: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	unpacked, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("it is a zip archive that cannot be read: %w", err)
	case len(unpacked) > MaxBytes:
		return nil, errTooLarge()
	}
	return unpacked, nil
}

// add keeps a rate, as it was written in a line.
func (p *parser) add(line int, date model.Date, code, perEuro, source string) error {
	if len(code) != 3 || strings.Trim(strings.ToUpper(code), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return at(line, "currency", errors.New("must be an ISO 4217 code, such as USD"))
	}
	rate, err := model.ParsePerEuro(perEuro)
	if err != nil {
		return at(line, "rate of "+code, err)
	}
	currency, err := model.ParseCurrency(code)
	if err != nil {
		if p.file.Skipped == nil {
			p.file.Skipped = map[string]int{}
		}
		p.file.Skipped[code]++
		return nil
	}
	first, again := p.kept[key{date, currency}]
	switch {
	case currency == "EUR":
		return at(line, "currency", errors.New("the euro has no rate: all others are for one euro"))
	case again && first != rate:
		return at(line, "rate of "+code, errors.New("is another one than above, for the same date"))
	case again:
		return nil
	case len(p.kept) == maxRates:
		return fmt.Errorf("there are more than %d rates in it", maxRates)
	}
	p.kept[key{date, currency}] = rate
	p.file.Rates = append(p.file.Rates, model.Rate{Date: date, Currency: currency, PerEuro: rate, Source: source})
	return nil
}

// at is an error in a line of the file.
func at(line int, field string, err error) error {
	return fmt.Errorf("line %d: %s: %w", line, field, plain(err))
}

// plain is an error of model without its code, which means nothing in a file.
func plain(err error) error {
	if fault := model.AsError(err); fault != nil {
		return errors.New(fault.Message)
	}
	return err
}
