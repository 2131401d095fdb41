package rates

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tributary/model"
)

// columnsMax is how many columns a CSV has at most: more than there are currencies.
const columnsMax = 500

// csv reads the European Central Bank's CSV, which has a column for each currency, or a simple one, which
// has a line for each rate.
func (p *parser) csv(data []byte) error {
	source := newBounded(data)
	reader := csv.NewReader(source)
	reader.FieldsPerRecord = -1 // is checked here, to name what is wrong
	reader.TrimLeadingSpace = true
	header, err := readLine(reader, source)
	if errors.Is(err, io.EOF) {
		return errors.New("it is empty")
	}
	if err != nil {
		return err
	}
	if !strings.EqualFold(header[0], "date") && !slices.Contains(header, columnPerEuro) || len(header) > columnsMax {
		return errors.New("it is no file of rates: expected the European Central Bank's XML or CSV, or a CSV that begins with date,currency,per_euro")
	}
	line := p.wideLine
	if slices.Contains(header, columnPerEuro) || slices.Contains(header, columnCurrency) {
		line = p.simpleLine
		if err := p.checkSimple(header); err != nil {
			return err
		}
	}
	for {
		fields, err := readLine(reader, source)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		number, _ := reader.FieldPos(0)
		if len(fields) != len(header) {
			return at(number, "columns", fmt.Errorf("there are %d, but %d in the first line", len(fields), len(header)))
		}
		if err := line(number, header, fields); err != nil {
			return err
		}
	}
}

// readLine is the next line's fields, without the space around them.
func readLine(reader *csv.Reader, source *bounded) ([]string, error) {
	source.next()
	fields, err := reader.Read()
	var fault *csv.ParseError
	if errors.As(err, &fault) {
		return nil, at(fault.Line, "CSV", fault.Err)
	}
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	return fields, err
}

// wideLine reads a day: its date, then a rate or N/A for each currency of the header. Every line of the
// European Central Bank's ends with a comma.
func (p *parser) wideLine(line int, header, fields []string) error {
	date, err := parseDate(fields[0])
	if err != nil {
		return at(line, "Date", err)
	}
	for i := 1; i < len(fields); i++ {
		switch {
		case i == len(fields)-1 && header[i] == "" && fields[i] == "":
		case fields[i] == "N/A", fields[i] == "" && header[i] != "":
		default:
			if err := p.add(line, date, header[i], fields[i], cmp.Or(p.source, ECB)); err != nil {
				return err
			}
		}
	}
	return nil
}

// The columns of a simple CSV, in any order.
const (
	columnDate     = "date"
	columnCurrency = "currency"
	columnPerEuro  = "per_euro"
	columnSource   = "source" // optional
)

func (p *parser) checkSimple(header []string) error {
	columns := slices.Sorted(slices.Values(header))
	with := []string{columnCurrency, columnDate, columnPerEuro, columnSource}
	hasSource := slices.Equal(columns, with)
	switch {
	case !hasSource && !slices.Equal(columns, with[:3]):
		return at(1, "columns", errors.New("must be date, currency, per_euro and, if you like, source, each once"))
	case !hasSource && p.source == "":
		return errors.New("it does not say who published the rates: name the source with --source, or in a column source")
	}
	return nil
}

// simpleLine reads one rate.
func (p *parser) simpleLine(line int, header, fields []string) error {
	of := func(column string) string {
		if i := slices.Index(header, column); i >= 0 {
			return fields[i]
		}
		return ""
	}
	date, err := parseDate(of(columnDate))
	if err != nil {
		return at(line, columnDate, err)
	}
	source := cmp.Or(p.source, of(columnSource))
	if source == "" {
		return at(line, columnSource, errors.New("must not be empty"))
	}
	if err := model.CheckName(source); err != nil {
		return at(line, columnSource, err)
	}
	return p.add(line, date, of(columnCurrency), of(columnPerEuro), source)
}

// parseDate reads a date such as 2026-11-20 or, as in the European Central Bank's daily CSV, 20 November
// 2026.
func parseDate(text string) (model.Date, error) {
	if t, err := time.Parse("2 January 2006", text); err == nil {
		return model.DateOf(t), nil
	}
	date, err := model.ParseDate(text)
	if err == nil && date.Year < 1970 {
		err = errors.New("must not be before 1970")
	}
	return date, err
}
