/* Power loss for one process: stands between a program and the C library, counts every call that changes a file under
 * one folder, and at a chosen one kills the process, tears the write in two, or fails from there on.
 *
 * A shadow of the folder holds what would have survived a power cut: what was synced, and of what was not, each write
 * with even odds. It is on test's behalf only; the product knows nothing of it. Build: cc -shared -fPIC -o shim.so
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { COUNT, KILL, TEAR, FAIL };
enum { PASS, REFUSE, HALF };

static char folder[PATH_MAX], shadow[PATH_MAX];
static long at;
static int armed, mode, failure;
static uint64_t dice;
static long *counted;   /* shared with the process that forked this one */
static int64_t *shifted; /* seconds that the wall clock is wrong by, shared too */

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    counted = page;
    shifted = (int64_t *)page + 1;
}

void shim_arm(const char *where, const char *copy, long point, int how, int error, uint64_t seed) {
    snprintf(folder, sizeof folder, "%s/", where);
    snprintf(shadow, sizeof shadow, "%s/", copy);
    at = point;
    mode = how;
    failure = error;
    dice = seed * 2862933555777941757ULL + 3037000493ULL;
    *counted = 0;
    armed = 1;
}

void shim_disarm(void) { armed = 0; }
long shim_count(void) { return *counted; }
void shim_shift_clock(int64_t seconds) { *shifted = seconds; }

static int lucky(void) {
    dice = dice * 6364136223846793005ULL + 1442695040888963407ULL;
    return (int)(dice >> 63);
}

static int inside(const char *path) {
    size_t length = strlen(path);
    return armed && !strncmp(path, folder, strlen(folder)) && (length < 4 || strcmp(path + length - 4, "-shm"));
}

static int inside_fd(int fd, char *path) {
    char link[64];
    if (!armed) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return inside(path);
}

/* The point itself. */
static int arrive(int tears) {
    long now = ++*counted;
    if (mode == FAIL && now >= at) {
        errno = failure;
        return REFUSE;
    }
    if (now != at || mode == COUNT) return PASS;
    if (mode == TEAR && tears) return HALF;
    if (mode == KILL || mode == TEAR) {
        kill(getpid(), SIGKILL);
        pause();
    }
    return PASS;
}

static const char *shadow_of(const char *path) {
    static __thread char name[2 * PATH_MAX];
    if (!*shadow || shadow[0] == '/' && !shadow[1]) return NULL;
    snprintf(name, sizeof name, "%s%s", shadow, path + strlen(folder));
    return name;
}

static void survive_write(const char *path, const void *data, size_t size, off_t offset) {
    const char *copy = shadow_of(path);
    if (!copy || !lucky()) return;
    int fd = REAL(open)(copy, O_WRONLY);
    if (fd < 0) return; /* a file whose name was never made durable */
    (void)!REAL(pwrite)(fd, data, size, offset);
    close(fd);
}

static void survive_all(const char *path) {
    char block[65536];
    const char *copy = shadow_of(path);
    struct stat about;
    if (!copy || stat(path, &about) || !S_ISREG(about.st_mode)) return;
    int from = REAL(open)(path, O_RDONLY), to = REAL(open)(copy, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (ssize_t size; from >= 0 && to >= 0 && (size = read(from, block, sizeof block)) > 0;)
        (void)!REAL(write)(to, block, size);
    if (from >= 0) close(from);
    if (to >= 0) close(to);
}

static ssize_t torn(int fd, const void *data, size_t size, off_t offset) {
    (void)!REAL(pwrite)(fd, data, size / 2, offset);
    kill(getpid(), SIGKILL);
    pause();
    return -1;
}

static off_t place(int fd) {
    int flags = fcntl(fd, F_GETFL);
    struct stat about;
    if (flags >= 0 && (flags & O_APPEND) && !fstat(fd, &about)) return about.st_size;
    return lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *data, size_t size) {
    char path[PATH_MAX];
    if (!inside_fd(fd, path)) return REAL(write)(fd, data, size);
    off_t offset = place(fd);
    int what = arrive(1);
    if (what == REFUSE) return -1;
    if (what == HALF) return torn(fd, data, size, offset);
    survive_write(path, data, size, offset);
    return REAL(write)(fd, data, size);
}

static ssize_t write_at(int fd, const void *data, size_t size, off_t offset) {
    char path[PATH_MAX];
    if (!inside_fd(fd, path)) return REAL(pwrite)(fd, data, size, offset);
    int what = arrive(1);
    if (what == REFUSE) return -1;
    if (what == HALF) return torn(fd, data, size, offset);
    survive_write(path, data, size, offset);
    return REAL(pwrite)(fd, data, size, offset);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { return write_at(fd, data, size, offset); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) { return write_at(fd, data, size, offset); }

static int cut(int fd, off_t size) {
    char path[PATH_MAX];
    if (inside_fd(fd, path)) {
        if (arrive(0) == REFUSE) return -1;
        const char *copy = shadow_of(path);
        if (copy && lucky()) (void)!truncate(copy, size);
    }
    return REAL(ftruncate)(fd, size);
}

int ftruncate(int fd, off_t size) { return cut(fd, size); }
int ftruncate64(int fd, off64_t size) { return cut(fd, size); }

static int sync_file(int fd, const char *how) {
    char path[PATH_MAX];
    int known = inside_fd(fd, path);
    if (known && arrive(0) == REFUSE) return -1;
    int result = ((int (*)(int))real(how))(fd);
    if (known && !result) survive_all(path);
    return result;
}

int fsync(int fd) { return sync_file(fd, "fsync"); }
int fdatasync(int fd) { return sync_file(fd, "fdatasync"); }

int rename(const char *from, const char *to) {
    if (inside(to) && arrive(0) == REFUSE) return -1;
    int result = REAL(rename)(from, to);
    if (inside(to) && !result) {
        char before[2 * PATH_MAX];
        const char *copy = shadow_of(from);
        if (copy) {
            snprintf(before, sizeof before, "%s", copy);
            copy = shadow_of(to);
            if (REAL(rename)(before, copy) && errno == ENOENT) { /* the name lasts, what was not synced does not */
                int fd = REAL(open)(copy, O_WRONLY | O_CREAT | O_TRUNC, 0600);
                if (fd >= 0) close(fd);
            }
        }
    }
    return result;
}

int unlink(const char *path) {
    if (inside(path) && arrive(0) == REFUSE && failure != ENOSPC) return -1; /* that needs no room */
    int result = REAL(unlink)(path);
    if (inside(path) && !result) {
        const char *copy = shadow_of(path);
        if (copy) REAL(unlink)(copy);
    }
    return result;
}

int mkdir(const char *path, mode_t rights) {
    if (inside(path) && access(path, F_OK)) {
        if (arrive(0) == REFUSE) return -1;
        const char *copy = shadow_of(path);
        if (copy) REAL(mkdir)(copy, rights);
    }
    return REAL(mkdir)(path, rights);
}

static int open_file(const char *path, int flags, mode_t rights) {
    if (inside(path) && ((flags & O_TRUNC) || ((flags & O_CREAT) && access(path, F_OK)))) {
        if (arrive(0) == REFUSE) return -1;
        const char *copy = shadow_of(path);
        if (copy && (flags & O_TRUNC) && lucky()) (void)!truncate(copy, 0);
    }
    return REAL(open)(path, flags, rights);
}

#define RIGHTS(last)                                   \
    mode_t rights = 0;                                 \
    if (flags & (O_CREAT | __O_TMPFILE)) {             \
        va_list more;                                  \
        va_start(more, last);                          \
        rights = va_arg(more, mode_t);                 \
        va_end(more);                                  \
    }

int open(const char *path, int flags, ...) { RIGHTS(flags) return open_file(path, flags, rights); }
int open64(const char *path, int flags, ...) { RIGHTS(flags) return open_file(path, flags | O_LARGEFILE, rights); }

/* The wall clock of this process, wrong by as much as was asked for. */

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = REAL(clock_gettime)(clock, now);
    if (!result && shifted && clock == CLOCK_REALTIME) now->tv_sec += *shifted;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int result = REAL(gettimeofday)(now, zone);
    if (!result && shifted) now->tv_sec += *shifted;
    return result;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
