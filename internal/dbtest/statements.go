package dbtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tributary/db"
	"tributary/internal/postgres"
	"tributary/internal/statements"
)

// withLog makes a server log what it is sent, and by whom, and keep all of it.
func withLog(cfg postgres.Config) postgres.Config {
	for name, value := range map[string]string{
		"log_statement": "all", "log_line_prefix": "%m [%p] %a ",
		"log_parameter_max_length": "-1", "log_error_verbosity": "default", // with the arguments
	} {
		cfg.Settings[name] = value
	}
	cfg.LogMaxBytes = math.MaxInt64
	return cfg
}

// ofAllWebsites are the statements that are not about one website, by how they begin, and why.
var ofAllWebsites = map[string]string{
	"SELECT w.id AS website_id, w.domain, w.timezone, w.currency AS reporting, p.currency, count(*) AS payments": "an operator asks which rates are missing, for which payments of all",
	"VACUUM (":    "tidies a table up, and shows nothing of it",
	"LOCK TABLE ": "keeps others from a table, and shows nothing of it",
	"ANALYZE ":    "takes samples of a table, and shows nothing of it",
	"EXPLAIN (":   "asks what would be done, which is not done",
}

// sent is a statement of a store in the log.
var sent = regexp.MustCompile(`^\S+ \S+ \S+ \[\d+\] tributary LOG:  (?:statement|execute [^:]*): `)

// anotherMessage begins a message in the log.
var anotherMessage = regexp.MustCompile(`^\d{4}-\d\d-\d\d \S+ \S+ \[\d+\] `)

// arguments are those of the statement before in the log.
var arguments = regexp.MustCompile(`^\S+ \S+ \S+ \[\d+\] tributary DETAIL:  parameters: `)

// readStatements calls do once for each text of a message of a store in a server's log, with the first arguments that it came
// with in their places: those that differ in these name a website in the same way. A message at the end whose last line is
// not whole is still being written, and left out.
func readStatements(log io.Reader, do func(message string)) error {
	seen := map[string]bool{}
	var message, args strings.Builder
	flush := func() {
		if text := message.String(); text != "" && !seen[text] {
			seen[text] = true
			do(statements.Bind(text, args.String()))
		}
		message.Reset()
		args.Reset()
	}
	lines := bufio.NewReaderSize(log, 1<<20)
	for part := (*strings.Builder)(nil); ; {
		line, err := lines.ReadString('\n')
		if begin := arguments.FindString(line); begin != "" && part == &message {
			part, line = &args, line[len(begin):]
			if seen[message.String()] {
				part = nil
			}
		} else if anotherMessage.MatchString(line) {
			flush()
			part = nil
			if begin := sent.FindString(line); begin != "" {
				part, line = &message, line[len(begin):]
			}
		}
		if part != nil {
			part.WriteString(strings.TrimPrefix(line, "\t"))
		}
		if errors.Is(err, io.EOF) {
			if line == "" {
				flush()
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// checkStatements finds faults in what was sent to servers in these directories by all stores, those of processes
// that tests have started among them: each statement on tenant tables names one website to all of them. The admin's
// URL is that of one of the servers.
func checkStatements(ctx context.Context, adminURL string, dirs ...string) (faults []string, err error) {
	byShape := map[string]string{}
	for _, dir := range dirs {
		if err := collectStatements(filepath.Join(dir, "postgres.log"), byShape); err != nil {
			return nil, err
		}
	}
	if len(byShape) == 0 {
		return nil, nil
	}
	conn, err := connectMigrated(ctx, adminURL)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for shape, text := range byShape {
		fault, err := faultOf(ctx, conn, shape, text)
		if err != nil {
			return nil, fmt.Errorf("%w, in: %s", err, text)
		}
		if fault != "" {
			faults = append(faults, fmt.Sprintf("%s: %.500s", fault, text))
		}
	}
	slices.Sort(faults)
	return faults, nil
}

// collectStatements adds the statements on tenant tables of a log: of each shape the first.
func collectStatements(path string, byShape map[string]string) error {
	log, err := os.Open(path)
	if err != nil {
		return err
	}
	defer log.Close()
	tenant := regexp.MustCompile(`\b(` + strings.Join(db.TenantTables(), "|") + `)\b`)
	return readStatements(log, func(message string) {
		for _, text := range statements.Split(message) {
			if shape := statements.Shape(text); byShape[shape] == "" && tenant.MatchString(shape) {
				byShape[shape] = text
			}
		}
	})
}

// faultOf says what is wrong with a statement; "" if nothing is.
func faultOf(ctx context.Context, conn *pgx.Conn, shape, text string) (string, error) {
	for begin := range ofAllWebsites {
		if strings.HasPrefix(shape, begin) {
			return "", nil
		}
	}
	plan, err := statements.Explain(ctx, conn, text)
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) {
		return "Postgres does not say what it would do (" + refused.Message + ")", nil
	}
	if err != nil {
		return "", err
	}
	switch websites, strangers := statements.Websites(text, plan); {
	case len(strangers) > 0:
		return "names no website to " + strings.Join(strangers, ", "), nil
	case len(websites) > 1:
		return "names several websites", nil
	}
	return "", nil
}

// connectMigrated connects to a database of its own with the program's schema.
func connectMigrated(ctx context.Context, adminURL string) (*pgx.Conn, error) {
	admin, err := pgx.Connect(ctx, adminURL)
	if err != nil {
		return nil, err
	}
	defer admin.Close(ctx)
	if _, err := admin.Exec(ctx, "CREATE DATABASE statements"); err != nil {
		return nil, err
	}
	dsn := strings.Replace(adminURL, "/postgres?", "/statements?", 1)
	if _, err := db.Migrate(ctx, dsn, nil); err != nil {
		return nil, err
	}
	return pgx.Connect(ctx, dsn)
}

// reportStatements writes the faults of what was sent, and says whether there are none.
func reportStatements(adminURL string, dirs ...string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	faults, err := checkStatements(ctx, adminURL, dirs...)
	for _, fault := range faults {
		fmt.Fprintf(os.Stderr, "dbtest: a statement %s\n", fault)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "dbtest: the statements that were sent cannot be checked: %v\n", err)
	}
	return err == nil && len(faults) == 0
}
