package postgres

import (
	"maps"
	"runtime"
	"slices"
)

// settings are the server's arguments. They win over postgresql.conf and ALTER SYSTEM, which are left to the
// operator for tuning (memory, connections).
func (c *cluster) settings(socketDir string) []string {
	if socketDir == c.dir {
		socketDir = "." // the server works in the cluster's directory, and may not be able to walk the path to it
	}
	settings := map[string]string{
		"listen_addresses":        "",
		"port":                    socketPort,
		"unix_socket_directories": socketDir,
		"unix_socket_permissions": "0700",

		"fsync":              "on",
		"full_page_writes":   "on",
		"synchronous_commit": "on",

		"jit":      "off", // costs more than it gains on short queries
		"timezone": "UTC",

		// Statements carry e-mail addresses and names. None may reach the log: no statement, no parameter, no
		// detail ("Key (email)=(…) already exists"), no error, whose text can quote a value and which
		// its client is told anyway.
		"log_min_messages":                  "log",
		"log_min_error_statement":           "panic",
		"log_error_verbosity":               "terse",
		"log_statement":                     "none",
		"log_duration":                      "off",
		"log_min_duration_statement":        "-1",
		"log_min_duration_sample":           "-1",
		"log_transaction_sample_rate":       "0",
		"log_parameter_max_length":          "0",
		"log_parameter_max_length_on_error": "0",

		"log_destination":   "stderr",
		"logging_collector": "off", // a process less; serverLog bounds the file
		"log_checkpoints":   "off",
		"log_line_prefix":   "%m [%p] ",
		"log_timezone":      "UTC",
	}
	if runtime.GOOS == "darwin" {
		// A plain fsync there leaves the data in the drive's cache.
		settings["wal_sync_method"] = "fsync_writethrough"
	}
	maps.Copy(settings, c.cfg.Settings)
	args := make([]string, 0, 2*len(settings))
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

// settingsAreUnsafe reports whether the configuration asks for a server whose commits can be lost.
func (c *cluster) settingsAreUnsafe() bool {
	for _, name := range durableSettings {
		if c.cfg.Settings[name] == "off" {
			return true
		}
	}
	return false
}
