package main

import (
	"fmt"
	"io"
	"runtime"
)

// version is set by the linker; see the Makefile.
var version = "dev"

type versionCmd struct{}

// Run implements the command.
func (versionCmd) Run(a *app) error {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	view := map[string]string{"version": version, "go": runtime.Version(), "platform": platform}
	return a.print(view, func(out io.Writer) {
		fmt.Fprintf(out, "tributary %s (%s, %s)\n", version, runtime.Version(), platform)
	})
}
