package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/lmittmann/tint"
	"github.com/mattn/go-isatty"

	"tributary/internal/span"
	"tributary/model"
)

// options are the flags of every command.
type options struct {
	DatabaseURL string    `env:"DATABASE_URL" placeholder:"URL" help:"Postgres to use: postgres://user:password@host:port/name. Without it, Tributary runs one in the data directory."`
	DataDir     directory `default:".tributary" placeholder:"DIR" help:"Directory of the database that Tributary runs (default: ${default})."`
	JSON        bool      `name:"json" help:"Write one JSON object to the standard output."`
	LogLevel    string    `default:"info" enum:"debug,info,warn,error" help:"Least level that is logged, to the standard error: ${enum} (default: ${default})."`
}

// app is what every command works with.
type app struct {
	options
	stdout io.Writer
	log    *slog.Logger
}

// newApp prepares a command. The log is for a person, unless a server writes it to something that is
// no terminal: then each line is a JSON object.
func newApp(o options, server bool) *app {
	var level slog.Level
	_ = level.UnmarshalText([]byte(o.LogLevel)) // the grammar admits only names of levels
	terminal := isatty.IsTerminal(os.Stderr.Fd())
	var handler slog.Handler = slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})
	if terminal || !server {
		handler = tint.NewTextHandler(os.Stderr, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !terminal})
	}
	log := slog.New(span.Logged(handler))
	slog.SetDefault(log)
	return &app{options: o, stdout: os.Stdout, log: log}
}

// print writes a command's result: value as one JSON object, or what person writes, whose columns are
// separated by tabs. A failure to write is an error, since what was shown once may be lost.
func (a *app) print(value any, person func(w io.Writer)) error {
	var out bytes.Buffer
	if a.JSON {
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			return err
		}
	} else {
		columns := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
		person(columns)
		_ = columns.Flush() // writing to memory does not fail
	}
	_, err := a.stdout.Write(out.Bytes())
	return err
}

// whereToLook ends the messages of errors about a field: the commands that list what there is.
var whereToLook = map[string]string{
	"websiteId": "`tributary website list` shows all",
	"account":   "`tributary account list` shows all",
	"id":        "`tributary key list` and `tributary token list` show all",
}

// describe is an error as an operator reads it.
func describe(err error) string {
	var connect *pgconn.ConnectError
	fault := model.AsError(err)
	switch {
	case errors.As(err, &connect):
		return "see that the database runs, and that --database-url (in the environment DATABASE_URL) names it: " + oneLine(connect.Error())
	case fault == nil || fault.Code == model.CodeUnavailable:
		return err.Error()
	case whereToLook[fault.Field] != "":
		return fault.Message + ": " + whereToLook[fault.Field]
	}
	return fault.Message
}

// oneLine joins the lines of a message, each once: an error of the driver has one for each address that
// it tried, with and without TLS.
func oneLine(message string) string {
	var lines []string
	for line := range strings.Lines(message) {
		if line = strings.TrimSpace(line); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, " ")
}
