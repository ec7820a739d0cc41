// Records, in one order, what a program does to the files below a directory, and makes some of its
// syncs fail. It is preloaded, so the SQLite of either host runs unmodified, and exactly its system
// calls are recorded. README.md explains the variables below.
//
// A record is a header and `length` bytes: a path, or written data. Nothing is really synced: the
// content of a disk is computed from the records.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { OPEN = 1, WRITE, TRUNCATE, SYNC_BEGIN, SYNC_END, UNLINK, RENAME };
enum status { DONE, FAILED, TOLD };
enum { FDS = 4096, INODES = 256 };

struct header {
  uint32_t kind, process, id;
  int32_t fd;
  int64_t offset;
  uint32_t length, status;
};

// A descriptor: whether it is recorded, and how many failures its owner was told of.
static struct { int recorded; unsigned told; } fds[FDS];
// How many syncs of each file failed.
static struct { ino_t inode; unsigned failures; } inodes[INODES];

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *folder;
static size_t folder_length;
static int trace = -1;
static unsigned syncs, file_syncs, delay_max;
static uint32_t drawn;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
  folder = getenv("RECORD_FOLDER");
  const char *path = getenv("RECORD_TRACE");
  const char *delay = getenv("RECORD_DELAY_US");
  if (folder == NULL || path == NULL) return;
  folder_length = strlen(folder);
  delay_max = delay == NULL ? 0 : (unsigned)atoi(delay);
  drawn = delay_max + 1;
  trace = REAL(open64)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (trace < 0) abort();
}

// What happens between `lock` and `unlock` has one place in the order, across all processes that
// share the trace.
static void lock(void) {
  pthread_mutex_lock(&mutex);
  flock(trace, LOCK_EX);
}

static void unlock(void) {
  int error = errno;
  flock(trace, LOCK_UN);
  pthread_mutex_unlock(&mutex);
  errno = error;
}

static void record(enum kind kind, unsigned id, int fd, int64_t offset, enum status status,
                   const void *data, size_t length) {
  struct header header = {kind, (uint32_t)getpid(), id, fd, offset, (uint32_t)length, status};
  struct iovec parts[] = {{&header, sizeof header}, {(void *)data, length}};
  int error = errno;
  if (writev(trace, parts, 2) != (ssize_t)(sizeof header + length)) abort();
  errno = error;
}

static int is_recorded(int fd) {
  return trace >= 0 && fd >= 0 && fd < FDS && fds[fd].recorded;
}

static int is_inside(const char *path) {
  if (trace < 0 || strncmp(path, folder, folder_length) != 0) return 0;
  return path[folder_length] == 0 || path[folder_length] == '/';
}

// The count of a file's failed syncs.
static unsigned *failures_of(int fd) {
  struct stat64 stat;
  if (fstat64(fd, &stat) != 0) abort();
  for (int at = 0; at < INODES; at++) {
    if (inodes[at].inode == 0) inodes[at].inode = stat.st_ino;
    if (inodes[at].inode == stat.st_ino) return &inodes[at].failures;
  }
  abort();
}

static int opened(const char *path, int flags, mode_t mode) {
  int (*real)(const char *, int, ...) = REAL(open64);
  if (!is_inside(path)) return real(path, flags, mode);
  lock();
  int fd = real(path, flags, mode);
  if (fd >= FDS) abort();
  if (fd >= 0) {
    fds[fd].recorded = 1;
    fds[fd].told = *failures_of(fd);
    // The file's size tells whether opening it emptied it.
    struct stat64 stat;
    if (fstat64(fd, &stat) != 0) abort();
    record(OPEN, 0, fd, stat.st_size, DONE, path, strlen(path));
  }
  unlock();
  return fd;
}

#define OPENS(name)                                   \
  int name(const char *path, int flags, ...) {        \
    va_list rest;                                     \
    va_start(rest, flags);                            \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                     \
    return opened(path, flags, mode);                 \
  }
OPENS(open)
OPENS(open64)

int close(int fd) {
  if (is_recorded(fd)) fds[fd].recorded = 0;
  return REAL(close)(fd);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
  ssize_t (*real)(int, const void *, size_t, off64_t) = REAL(pwrite64);
  if (!is_recorded(fd)) return real(fd, data, length, offset);
  lock();
  ssize_t written = real(fd, data, length, offset);
  if (written > 0) record(WRITE, 0, fd, offset, DONE, data, (size_t)written);
  unlock();
  return written;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
  return pwrite64(fd, data, length, offset);
}

ssize_t write(int fd, const void *data, size_t length) {
  ssize_t (*real)(int, const void *, size_t) = REAL(write);
  if (!is_recorded(fd)) return real(fd, data, length);
  lock();
  ssize_t written = real(fd, data, length);
  // The position after the write is known even if the file was opened for appending.
  if (written > 0) {
    record(WRITE, 0, fd, lseek64(fd, 0, SEEK_CUR) - written, DONE, data, (size_t)written);
  }
  unlock();
  return written;
}

int ftruncate64(int fd, off64_t length) {
  int (*real)(int, off64_t) = REAL(ftruncate64);
  if (!is_recorded(fd)) return real(fd, length);
  lock();
  int result = real(fd, length);
  if (result == 0) record(TRUNCATE, 0, fd, length, DONE, "", 0);
  unlock();
  return result;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

// Whether RECORD_FAIL, a list of numbers separated by commas, has the number of this sync.
static int is_to_fail(unsigned number) {
  const char *list = getenv("RECORD_FAIL");
  for (char *end; list != NULL && *list != 0; list = *end == ',' ? end + 1 : end) {
    if (strtoul(list, &end, 10) == number) return 1;
    if (end == list) abort();
  }
  return 0;
}

// A real disk takes time, during which other processes go on.
static void take_time(void) {
  if (delay_max < 2) return;
  drawn = drawn * 1664525 + 1013904223;
  usleep(delay_max / 2 + (drawn >> 8) % (delay_max / 2));
}

// Linux reports a failure once to each descriptor that was open then, and marks the pages clean.
// Syncs of a directory never fail here, as SQLite ignores such failures.
static int synced(int fd, int (*real)(int)) {
  if (!is_recorded(fd)) return real(fd);
  struct stat64 stat;
  if (fstat64(fd, &stat) != 0) return -1;
  lock();
  unsigned id = ++syncs;
  int fails = S_ISREG(stat.st_mode) && is_to_fail(++file_syncs);
  record(SYNC_BEGIN, id, fd, 0, DONE, "", 0);
  unlock();
  take_time();
  lock();
  unsigned *failures = failures_of(fd);
  if (fails) *failures += 1;
  enum status status = fails ? FAILED : fds[fd].told < *failures ? TOLD : DONE;
  fds[fd].told = *failures;
  record(SYNC_END, id, fd, 0, status, "", 0);
  unlock();
  if (status == DONE) return 0;
  errno = EIO;
  return -1;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

int unlink(const char *path) {
  int (*real)(const char *) = REAL(unlink);
  if (!is_inside(path)) return real(path);
  lock();
  int result = real(path);
  if (result == 0) record(UNLINK, 0, -1, 0, DONE, path, strlen(path));
  unlock();
  return result;
}

int rename(const char *from, const char *to) {
  int (*real)(const char *, const char *) = REAL(rename);
  if (!is_inside(from) && !is_inside(to)) return real(from, to);
  char both[8192];
  size_t length = strlen(from) + 1 + strlen(to);
  if (length >= sizeof both) abort();
  strcpy(both, from);
  strcpy(both + strlen(from) + 1, to);
  lock();
  int result = real(from, to);
  if (result == 0) record(RENAME, 0, -1, 0, DONE, both, length);
  unlock();
  return result;
}
