// Makes a disk full or broken while the file DISK_FAULT says so. Its first letter is f for full: no file can grow,
// as on a disk without a free block. Or it is b for broken: nothing can be synced.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char fault(void) {
	const char *path = getenv("DISK_FAULT");
	char letter = 0;
	int fd = path && access(path, R_OK) == 0 ? open(path, O_RDONLY) : -1;
	if (fd < 0 || read(fd, &letter, 1) != 1) letter = 0;
	if (fd >= 0) close(fd);
	return letter;
}

// full says, and sets errno, whether a file cannot grow up to end.
static int full(int fd, off_t end) {
	struct stat file;
	int before = errno;
	int isFull = fault() == 'f' && fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && end > file.st_size;
	errno = isFull ? ENOSPC : before;
	return isFull;
}

static int broken(void) {
	int before = errno;
	int isBroken = fault() == 'b';
	errno = isBroken ? EIO : before;
	return isBroken;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t n) {
	off_t at = lseek(fd, 0, SEEK_CUR); // fails for what is no file
	return at >= 0 && full(fd, at + (off_t)n) ? -1 : REAL(write)(fd, data, n);
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
	return full(fd, at + (off_t)n) ? -1 : REAL(pwrite)(fd, data, n, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t at) {
	off_t end = at;
	for (int i = 0; i < n; i++) end += (off_t)parts[i].iov_len;
	return full(fd, end) ? -1 : REAL(pwritev)(fd, parts, n, at);
}

int posix_fallocate(int fd, off_t at, off_t n) {
	return full(fd, at + n) ? ENOSPC : REAL(posix_fallocate)(fd, at, n);
}

int fsync(int fd) { return broken() ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return broken() ? -1 : REAL(fdatasync)(fd); }
