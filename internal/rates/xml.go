package rates

import (
	"cmp"
	"encoding/xml"
	"errors"
	"io"

	"tributary/model"
)

// depthMax is how deeply the XML is nested at most; the European Central Bank's has 4.
const depthMax = 16

// xml reads the European Central Bank's XML: an Envelope of one Cube, of Cubes with a time, of Cubes with a
// currency and its rate.
func (p *parser) xml(data []byte) error {
	file := newBounded(data)
	decoder := xml.NewDecoder(file)
	source := cmp.Or(p.source, ECB)
	var day model.Date
	var dayDepth int // of the Cube with the time; 0 outside
	for depth := 0; ; {
		file.next()
		token, err := decoder.Token()
		line, _ := decoder.InputPos()
		switch {
		case errors.Is(err, io.EOF):
			if depth == 0 {
				return nil
			}
			return at(line, "XML", io.ErrUnexpectedEOF)
		case errors.Is(err, errItemTooLong):
			return at(line, "XML", err)
		case err != nil:
			return at(line, "XML", errors.New("is not well-formed"))
		}
		switch element := token.(type) {
		case xml.EndElement:
			if depth == dayDepth {
				dayDepth = 0
			}
			depth--
		case xml.StartElement:
			depth++
			if depth > depthMax {
				return at(line, "XML", errors.New("is nested too deeply"))
			}
			if depth == 1 && element.Name.Local != "Envelope" {
				return errors.New("it is XML, but not the European Central Bank's, which begins with gesmes:Envelope")
			}
			if element.Name.Local != "Cube" {
				continue
			}
			time, hasTime := attribute(element, "time")
			code, hasCode := attribute(element, "currency")
			rate, hasRate := attribute(element, "rate")
			switch {
			case hasTime && (dayDepth > 0 || hasCode || hasRate):
				return at(line, "Cube", errors.New("must have either a time, or a currency and a rate"))
			case hasTime:
				if day, err = parseDate(time); err != nil {
					return at(line, "time", err)
				}
				dayDepth = depth
			case hasCode != hasRate:
				return at(line, "Cube", errors.New("must have a currency and a rate"))
			case hasCode && dayDepth == 0:
				return at(line, "Cube", errors.New("has a rate, but is in none with a time"))
			case hasCode:
				if err := p.add(line, day, code, rate, source); err != nil {
					return err
				}
			}
		}
	}
}

func attribute(element xml.StartElement, name string) (value string, ok bool) {
	for _, a := range element.Attr {
		if a.Name.Local == name {
			return a.Value, true
		}
	}
	return "", false
}
