package statements

import "regexp"

var (
	placeholder = regexp.MustCompile(`\$\d+`)
	argument    = regexp.MustCompile(`(\$\d+) = ('(?:[^']|'')*'|NULL)`)
)

// Bind puts arguments, as Postgres logs them, in the places of $1, $2 and so on in a statement.
func Bind(text, arguments string) string {
	literals := map[string]string{}
	for _, found := range argument.FindAllStringSubmatch(arguments, -1) {
		literals[found[1]] = found[2]
	}
	return placeholder.ReplaceAllStringFunc(text, func(name string) string {
		if literal, ok := literals[name]; ok {
			return literal
		}
		return name
	})
}
