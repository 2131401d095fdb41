package postgres

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The memory that a new cluster keeps pages in: a quarter of the machine's, within these. What is not used is not
// taken from the machine.
const (
	leastBuffers = 128 << 20 // Postgres' own default
	mostBuffers  = 1 << 30
)

// tune adds to the configuration of a new cluster what Postgres' defaults are too small for. It stands in
// postgresql.conf, where the operator changes it.
func tune(dir string, memory uint64) error {
	file, err := os.OpenFile(filepath.Join(dir, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, `
# What Tributary begins with. Change it here, or below.

# Payments touch pages all over their indexes. The first change of a page after a checkpoint writes all of it to the
# log, so checkpoints are far apart. The log takes up to this much of the disk, and as much is to be read after a crash.
max_wal_size = 4GB
checkpoint_timeout = 15min

# A quarter of the memory of the machine or container, from 128 MB to 1 GB.
shared_buffers = %dMB
`, min(max(memory/4, leastBuffers), mostBuffers)>>20)
	return errors.Join(err, file.Sync(), file.Close())
}
