/* Stands between the program and its disk, loaded with LD_PRELOAD; the program itself knows nothing of it.

   FAULTS_ROOT     the data folder; nothing else is ever disturbed
   FAULTS_LOG      if set: every change of a regular file, in order, with its bytes (read by disk.py)
   FAULTS_CONTROL  if set: a file whose content, looked at before each change in the data folder, is a fault:
                     full      a write that makes a file longer fails with ENOSPC
                     broken    every write, flush and truncation fails with EIO
                     keys      the same, for the key file alone
                     checkpoint  the same, for the database itself: its log still takes everything
                     readonly  every write and truncation fails with EROFS, and so does creating a file
                     kill N    the N-th change from now ends the process (SIGKILL) before it happens

   A change is done and noted under one lock, so the log has the order of the disk.
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static long changes;

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* kind, offset, length, path, then the bytes: see disk.py */
static void note(char kind, const char *path, long long offset, const void *data, size_t length) {
    const char *name = setting("FAULTS_LOG");
    if (!name) return;
    if (log_fd < 0) log_fd = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    char head[PATH_MAX + 80];
    int size = snprintf(head, sizeof head, "%c %lld %zu %s\n", kind, offset, length, path);
    struct iovec parts[2] = {{head, size}, {(void *)data, data ? length : 0}};
    /* one call, so that a process that is killed leaves no half record behind a whole one */
    if (syscall(SYS_writev, log_fd, parts, 2) != (long)(parts[0].iov_len + parts[1].iov_len)) abort();
}

/* The path behind a descriptor if it is a regular file or a folder; NULL for sockets, pipes and our own log. */
static const char *path_of(int fd, char *path, int *folder) {
    if (!setting("FAULTS_ROOT") || fd == log_fd) return NULL;
    struct stat about;
    if (fstat(fd, &about)) return NULL;
    if (!S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode)) return NULL;
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return NULL;
    path[length] = 0;
    if (folder) *folder = S_ISDIR(about.st_mode);
    return path;
}

static int ours(const char *path) {
    const char *root = setting("FAULTS_ROOT");
    return root && !strncmp(path, root, strlen(root));
}

/* What goes wrong with this change: 0, or an errno. Does not return when the process is to die here. */
static int fault(const char *path, int grows, int flush) {
    const char *name = setting("FAULTS_CONTROL");
    if (!name || !ours(path)) return 0;
    int fd = syscall(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        changes = 0;
        return 0;
    }
    char said[40] = "";
    ssize_t length = syscall(SYS_read, fd, said, sizeof said - 1);
    syscall(SYS_close, fd);
    if (length <= 0) return 0;
    if (!strncmp(said, "full", 4)) return grows ? ENOSPC : 0;
    if (!strncmp(said, "broken", 6)) return EIO;
    if (!strncmp(said, "keys", 4)) return strstr(path, ".keys") ? EIO : 0;
    if (!strncmp(said, "checkpoint", 10)) return strcmp(path + strlen(path) - 3, ".db") ? 0 : EIO;
    if (!strncmp(said, "readonly", 8)) return flush ? 0 : EROFS;
    if (!strncmp(said, "kill ", 5) && ++changes == atol(said + 5)) {
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
    return 0;
}

#define REAL(result, name, ...)                            \
    static result (*real)(__VA_ARGS__);                    \
    if (!real) real = (result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

#define REFUSE(error)                  \
    do {                               \
        int why = (error);             \
        if (why) {                     \
            pthread_mutex_unlock(&lock); \
            errno = why;               \
            return -1;                 \
        }                              \
    } while (0)

static int grows(int fd, long long end) {
    struct stat about;
    return !fstat(fd, &about) && end > about.st_size;
}

ssize_t write(int fd, const void *data, size_t length) {
    REAL(ssize_t, write, int, const void *, size_t);
    char path[PATH_MAX];
    if (fd < 0 || !path_of(fd, path, NULL)) return real(fd, data, length);
    pthread_mutex_lock(&lock);
    int append = fcntl(fd, F_GETFL) & O_APPEND;
    long long at = lseek(fd, 0, append ? SEEK_END : SEEK_CUR);
    REFUSE(fault(path, grows(fd, at + length), 0));
    ssize_t done = real(fd, data, length);
    if (done > 0) note('W', path, at, data, done);
    pthread_mutex_unlock(&lock);
    return done;
}

static ssize_t write_at(ssize_t (*real)(int, const void *, size_t, off64_t), int fd, const void *data, size_t length,
                        off64_t at) {
    char path[PATH_MAX];
    if (!path_of(fd, path, NULL)) return real(fd, data, length, at);
    pthread_mutex_lock(&lock);
    REFUSE(fault(path, grows(fd, at + length), 0));
    ssize_t done = real(fd, data, length, at);
    if (done > 0) note('W', path, at, data, done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    return write_at(real, fd, data, length, at);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    return write_at(real, fd, data, length, at);
}

static int flush(int (*real)(int), int fd) {
    char path[PATH_MAX];
    int folder = 0;
    if (!path_of(fd, path, &folder)) return real(fd);
    pthread_mutex_lock(&lock);
    REFUSE(fault(path, 0, 1));
    int done = real(fd);
    if (!done) note(folder ? 'D' : 'S', path, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int fsync(int fd) {
    REAL(int, fsync, int);
    return flush(real, fd);
}

int fdatasync(int fd) {
    REAL(int, fdatasync, int);
    return flush(real, fd);
}

static int cut(int (*real)(int, off64_t), int fd, off64_t length) {
    char path[PATH_MAX];
    if (!path_of(fd, path, NULL)) return real(fd, length);
    pthread_mutex_lock(&lock);
    REFUSE(fault(path, grows(fd, length), 0));
    int done = real(fd, length);
    if (!done) note('T', path, length, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate(int fd, off_t length) {
    REAL(int, ftruncate64, int, off64_t);
    return cut(real, fd, length);
}

int ftruncate64(int fd, off64_t length) {
    REAL(int, ftruncate64, int, off64_t);
    return cut(real, fd, length);
}

static int open_at(int folder, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    struct stat about;
    int makes = (flags & O_CREAT) && setting("FAULTS_ROOT");
    int is_new = makes && fstatat(folder, name, &about, 0);
    if (!makes && !(flags & O_TRUNC)) return syscall(SYS_openat, folder, name, flags, mode);
    pthread_mutex_lock(&lock);
    if (is_new && name[0] == '/') REFUSE(fault(name, 1, 0));
    int fd = syscall(SYS_openat, folder, name, flags, mode);
    int error = errno;
    if (fd >= 0 && path_of(fd, path, NULL)) {
        if (is_new) note('C', path, 0, NULL, 0);
        if (flags & O_TRUNC) note('T', path, 0, NULL, 0);
    }
    errno = error;
    pthread_mutex_unlock(&lock);
    return fd;
}

#define OPEN(name)                                       \
    int name(const char *path, int flags, ...) {         \
        va_list more;                                    \
        va_start(more, flags);                           \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
        va_end(more);                                    \
        return open_at(AT_FDCWD, path, flags, mode);     \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                     \
    int name(int folder, const char *path, int flags, ...) { \
        va_list more;                                    \
        va_start(more, flags);                           \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
        va_end(more);                                    \
        return open_at(folder, path, flags, mode);       \
    }
OPENAT(openat)
OPENAT(openat64)

int unlink(const char *path) {
    REAL(int, unlink, const char *);
    if (!setting("FAULTS_ROOT") || !ours(path)) return real(path);
    pthread_mutex_lock(&lock);
    REFUSE(fault(path, 0, 0));
    int done = real(path);
    if (!done) note('U', path, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

/* Nothing in the program renames or maps files for writing but SQLite's index of its log, which is made anew after a
   cut. Should it begin to rename, this stops the test instead of letting it pass. */
int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    if (ours(from) || ours(to)) abort();
    return real(from, to);
}
