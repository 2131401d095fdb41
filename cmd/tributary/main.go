// Command tributary is the whole product in one binary: the server, and the commands that an operator
// needs beside it. It is the only place where the packages are put together.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"

	"github.com/alecthomas/kong"

	"tributary/internal/rates"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

// commands is the grammar of the command line.
type commands struct {
	Options options `embed:""`

	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Migrate migrateCmd `cmd:"" help:"Bring the database to this program's schema. All other commands do so too."`
	Website websiteCmd `cmd:"" help:"Create, list, change, suspend and resume websites."`
	Key     keyCmd     `cmd:"" help:"Create, list and revoke website keys (df_…): each is for one website."`
	Token   tokenCmd   `cmd:"" help:"Create, list and revoke account tokens (dft_…): for an account's websites, limited by scopes."`
	Account accountCmd `cmd:"" help:"Create, list and limit accounts, which own websites."`
	Person  personCmd  `cmd:"" help:"Forget a person, or write all that is kept of one."`
	Rollups rollupsCmd `cmd:"" help:"Check or rebuild the sums that reports read."`
	Rates   ratesCmd   `cmd:"" help:"Import and list exchange rates, which convert payments to a website's currency."`
	Version versionCmd `cmd:"" help:"Show the version."`

	Distribute distributeCmd `cmd:"" help:"Spread the tables over the machines of a Citus cluster, by website."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:]))
}

// run executes one command and answers the exit code.
func run(ctx context.Context, args []string) int {
	var c commands
	parser := kong.Must(&c,
		kong.Name("tributary"),
		kong.Description("Tributary: which visitors brought how much revenue, and what brought them.\n\n"+
			"Every flag can also be given in the environment, as the help of each command says."),
		kong.DefaultEnvars("TRIBUTARY"),
		kong.Vars{"listen": defaultListen, "ratesURL": rates.ECBFolder},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	parsed, err := parser.Parse(spell(args))
	if err != nil {
		says := err.Error()
		if negative.MatchString(says) {
			says = "numbers must not be negative"
		}
		fmt.Fprintf(os.Stderr, "tributary: %s; see %s --help\n", says, helpFor(err))
		return exitUsage
	}
	a := newApp(c.Options, parsed.Command() == "serve")
	if err := parsed.Run(a); err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			err = errors.New("interrupted")
		}
		fmt.Fprintf(os.Stderr, "tributary: %s\n", describe(err))
		return exitFailed
	}
	return 0
}

// negative is how kong takes a number below zero: no flag of ours is a digit.
var negative = regexp.MustCompile(`^unknown flag -\d`)

// spell writes what people try first as the grammar has it.
func spell(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(args[1:], "--help")
	case args[0] == "--version":
		return append([]string{"version"}, args[1:]...)
	}
	return args
}

// helpFor is the command whose help answers a mistake on the command line.
func helpFor(err error) string {
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context != nil && wrong.Context.Selected() != nil {
		return wrong.Context.Selected().FullPath()
	}
	return "tributary"
}
