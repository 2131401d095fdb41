package statements

import (
	"regexp"
	"slices"
	"strings"
)

// Websites are the websites that a statement names, and strangers the tenant tables of which it reads, changes or
// adds rows without naming one. That of another table's row is not enough: for Citus, each part of a statement says
// itself where its rows are.
func Websites(text string, plan Plan) (websites, strangers []string) {
	note := func(id, table string) {
		switch {
		case id == "" && !slices.Contains(strangers, table):
			strangers = append(strangers, table)
		case id != "" && !slices.Contains(websites, id):
			websites = append(websites, id)
		}
	}
	for _, scan := range plan.Scans() {
		note(scan.website(), scan.Relation+" "+scan.Alias)
	}
	plan.Each(func(p Plan) {
		if p.Operation != "Insert" || !isTenant(p.Relation) {
			return
		}
		for _, id := range inserted(text, p) {
			note(id, "inserted "+p.Relation)
		}
	})
	return websites, strangers
}

// An id of a website as a value, and a condition that a row has it.
const idOfWebsite = `'([0-9a-f]{24})'`

var (
	isWebsite  = regexp.MustCompile(`^` + idOfWebsite + `::text(?: COLLATE "C")?$`)
	hasWebsite = regexp.MustCompile(`^(\w+|"[^"]+")\.website_id = ` + idOfWebsite + `::text(?: COLLATE "C")?$`)
	firstValue = regexp.MustCompile(`^\s*` + idOfWebsite)
)

// website is the one that a scan's rows must be of; "" if they may be of any.
func (p Plan) website() string {
	for _, condition := range []string{p.IndexCond, p.RecheckCond, p.Filter} {
		for _, one := range conjuncts(condition) {
			if found := hasWebsite.FindStringSubmatch(one); found != nil && strings.Trim(found[1], `"`) == p.Alias {
				return found[2]
			}
		}
	}
	return ""
}

// conjuncts are the conditions that all have to be true for one, as Postgres writes them: each in parentheses, with
// AND between them.
func conjuncts(condition string) (all []string) {
	inner, ok := strings.CutPrefix(condition, "(")
	if !ok {
		return nil
	}
	inner = strings.TrimSuffix(inner, ")")
	depth, begin := 0, 0
	for l := (lexer{rest: inner}); l.next(); {
		switch l.token {
		case "(":
			depth++
		case ")":
			depth--
		case "AND":
			if end := len(inner) - len(l.rest); depth == 0 {
				all = append(all, conjuncts(strings.TrimSpace(inner[begin:end-len("AND")]))...)
				begin = end
			}
		}
	}
	if begin == 0 {
		return []string{inner}
	}
	return append(all, conjuncts(strings.TrimSpace(inner[begin:]))...)
}

// inserted are the websites of the rows that are inserted; "" for one that is not written down. A table's first column
// is website_id.
func inserted(text string, insert Plan) []string {
	source := insert.Plans[0]
	if found := isWebsite.FindStringSubmatch(source.Output[0]); found != nil {
		return found[1:]
	}
	if source.Node == "Values Scan" {
		return firstValues(text, insert.Relation)
	}
	return []string{""}
}

// firstValues are the ids that begin the rows of INSERT … VALUES into a table.
func firstValues(text, table string) (ids []string) {
	_, rows, found := cutToken(text, table)
	if !found || !strings.Contains(rows[:min(20, len(rows))], "website_id") {
		return []string{""} // another column comes first
	}
	if _, rows, found = cutToken(rows, "VALUES"); !found {
		return []string{""}
	}
	depth := 0
	for l := (lexer{rest: rows}); l.next(); {
		switch l.token {
		case "(":
			if depth++; depth > 1 {
				continue
			}
			id := ""
			if first := firstValue.FindStringSubmatch(l.rest); first != nil {
				id = first[1]
			}
			ids = append(ids, id)
		case ")":
			depth--
		case "ON", "RETURNING":
			return ids
		}
	}
	return ids
}

// cutToken cuts a text around the first token that is a name, quoted or not.
func cutToken(text, name string) (before, after string, found bool) {
	for l := (lexer{rest: text}); l.next(); {
		if strings.Trim(l.token, `"`) == name {
			return text[:len(text)-len(l.rest)-len(l.token)], l.rest, true
		}
	}
	return text, "", false
}
