// Makes every fsync and fdatasync take SLOWSYNC_MS milliseconds longer, as the disks of a cloud do.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static int later(const char *name, int fd) {
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
	const char *ms = getenv("SLOWSYNC_MS");
	struct timespec pause = {0, (ms ? atol(ms) : 0) * 1000000L};
	nanosleep(&pause, NULL);
	return real(fd);
}

int fsync(int fd) { return later("fsync", fd); }
int fdatasync(int fd) { return later("fdatasync", fd); }
