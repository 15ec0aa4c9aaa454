// A disk that can be watched and broken, put between a program and its C library with LD_PRELOAD.
//
// It concerns the folder DISK_FOLDER and what is directly in it. DISK_CONTROL is a file of 64-bit numbers, mapped here and read and written
// by whoever watches (`struct control`; -1 switches a fault off). DISK_LOG, if set, receives every operation that changes the disk, in order, with
// its bytes. A process has a lock around an operation and its line in the log, so the order is the true one.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control {
  int64_t operations;  // counted: every operation that is logged
  int64_t syncs;       // counted
  int64_t written;     // counted, bytes
  int64_t free_bytes;  // by how much files may still grow before the disk is full
  int64_t sync_us;     // how much longer a sync takes
  int64_t sync_fails;  // this sync fails, counted from 1
  int64_t fails;       // this operation fails, counted from 1 ...
  int64_t fails_with;  // ... with this errno
};

static struct control *control;
static const char *folder;
static size_t folder_len;
static int out = -1;
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)
#define ADD(counter, n) __atomic_add_fetch(&control->counter, n, __ATOMIC_SEQ_CST)
#define GET(counter) __atomic_load_n(&control->counter, __ATOMIC_SEQ_CST)

static int real_open(const char *path, int flags, mode_t mode) {
  REAL(int, "open64", const char *, int, ...);
  return real(path, flags, mode);
}

__attribute__((constructor)) static void begin(void) {
  const char *shared = getenv("DISK_CONTROL"), *log = getenv("DISK_LOG");
  folder = getenv("DISK_FOLDER");
  if (!shared || !folder) return;
  folder_len = strlen(folder);
  int fd = real_open(shared, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0 || ftruncate(fd, sizeof(struct control))) abort();
  void *map = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) abort();
  close(fd);
  if (log && (out = real_open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0) abort();
  control = map;
}

static int ours(const char *path) {
  if (!control || strncmp(path, folder, folder_len)) return 0;
  return path[folder_len] == 0 || (path[folder_len] == '/' && !strchr(path + folder_len + 1, '/'));
}

// The name of an open file, if it is in the folder and still has one.
static int named(int fd, char *path) {
  char link[64];
  if (!control || fd == out) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, 4095);
  if (n < 0) return 0;
  path[n] = 0;
  return ours(path) && !strstr(path, " (deleted)");
}

static void enter(void) { if (out >= 0) pthread_mutex_lock(&order); }
static void leave(void) { int e = errno; if (out >= 0) pthread_mutex_unlock(&order); errno = e; }

// Counts an operation; whether it fails.
static int fails(void) {
  if (ADD(operations, 1) != GET(fails)) return 0;
  errno = (int)GET(fails_with);
  return 1;
}

// kind, length of the path, offset, length of the data: 4 numbers of 64 bits; then path and data.
static void record(char kind, const char *path, int64_t offset, const void *data, size_t len) {
  if (out < 0) return;
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  int64_t head[4] = {kind, (int64_t)strlen(path), offset, (int64_t)len};
  struct iovec parts[3] = {{head, sizeof head}, {(void *)path, strlen(path)}, {(void *)data, len}};
  if (real(out, parts, 3) != (ssize_t)(sizeof head + strlen(path) + len)) abort();
}

// How much of a write the disk still has room for; -1 with errno if none.
static ssize_t room(int fd, size_t n, off64_t offset) {
  struct stat64 file;
  if (GET(free_bytes) < 0 || fstat64(fd, &file)) return (ssize_t)n;
  int64_t grows = offset + (int64_t)n - file.st_size;
  if (grows <= 0) return (ssize_t)n;
  int64_t left = ADD(free_bytes, -grows);
  if (left >= 0) return (ssize_t)n;
  // What did not fit is given back.
  int64_t lacking = -left < grows ? -left : grows;
  ADD(free_bytes, lacking);
  if ((int64_t)n > lacking) return (ssize_t)((int64_t)n - lacking);
  errno = ENOSPC;
  return -1;
}

static ssize_t put(int fd, const void *bytes, size_t n, off64_t offset, const char *path) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
  enter();
  ssize_t fits = -1, r = -1;
  if (!fails() && (fits = room(fd, n, offset)) >= 0) r = real(fd, bytes, (size_t)fits, offset);
  if (r > 0) { ADD(written, r); record('w', path, offset, bytes, (size_t)r); }
  leave();
  return r;
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t offset) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
  char path[4096];
  return named(fd, path) ? put(fd, bytes, n, offset, path) : real(fd, bytes, n, offset);
}
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset) { return pwrite64(fd, bytes, n, offset); }

ssize_t write(int fd, const void *bytes, size_t n) {
  REAL(ssize_t, "write", int, const void *, size_t);
  char path[4096];
  if (!named(fd, path)) return real(fd, bytes, n);
  off64_t at = fcntl(fd, F_GETFL) & O_APPEND ? lseek64(fd, 0, SEEK_END) : lseek64(fd, 0, SEEK_CUR);
  ssize_t r = put(fd, bytes, n, at, path);
  if (r > 0) lseek64(fd, at + r, SEEK_SET);
  return r;
}

int ftruncate64(int fd, off64_t len) {
  REAL(int, "ftruncate64", int, off64_t);
  char path[4096];
  if (!named(fd, path)) return real(fd, len);
  enter();
  int r = fails() ? -1 : real(fd, len);
  if (!r) record('t', path, len, NULL, 0);
  leave();
  return r;
}
int ftruncate(int fd, off_t len) { return ftruncate64(fd, len); }

static int sync_with(int (*real)(int), int fd) {
  char path[4096];
  if (!named(fd, path)) return real(fd);
  if (GET(sync_us) > 0) { struct timespec t = {GET(sync_us) / 1000000, GET(sync_us) % 1000000 * 1000}; nanosleep(&t, NULL); }
  enter();
  int broken = ADD(syncs, 1) == GET(sync_fails);
  int r = fails() ? -1 : broken ? (errno = EIO, -1) : real(fd);
  record(r ? 'f' : 's', path, 0, NULL, 0);
  leave();
  return r;
}
int fsync(int fd) { REAL(int, "fsync", int); return sync_with(real, fd); }
int fdatasync(int fd) { REAL(int, "fdatasync", int); return sync_with(real, fd); }

int unlink(const char *path) {
  REAL(int, "unlink", const char *);
  if (!ours(path)) return real(path);
  enter();
  int r = fails() ? -1 : real(path);
  if (!r) record('u', path, 0, NULL, 0);
  leave();
  return r;
}

int rename(const char *from, const char *to) {
  REAL(int, "rename", const char *, const char *);
  if (!ours(from)) return real(from, to);
  enter();
  int r = fails() ? -1 : real(from, to);
  if (!r) record('r', from, 0, to, strlen(to));
  leave();
  return r;
}

static int open_with(const char *path, int flags, mode_t mode) {
  if (!ours(path) || !(flags & (O_CREAT | O_TRUNC))) return real_open(path, flags, mode);
  enter();
  int is_new = access(path, F_OK) != 0, fd = -1;
  // Opening what is there changes nothing.
  if (!is_new && !(flags & O_TRUNC)) fd = real_open(path, flags, mode);
  else if (!fails() && (fd = real_open(path, flags, mode)) >= 0) record(is_new ? 'n' : 't', path, 0, NULL, 0);
  leave();
  return fd;
}

static mode_t mode_of(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; }
int open64(const char *path, int flags, ...) {
  va_list rest; va_start(rest, flags); mode_t mode = mode_of(flags, rest); va_end(rest);
  return open_with(path, flags, mode);
}
int open(const char *path, int flags, ...) {
  va_list rest; va_start(rest, flags); mode_t mode = mode_of(flags, rest); va_end(rest);
  return open_with(path, flags, mode);
}
