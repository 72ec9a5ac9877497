// Preloaded into the phone: while the file $STALL exists, fsync and fdatasync do not return, and
// $STALL.begun says that one of them waits.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void stall(void) {
    const char* file = getenv("STALL");
    char begun[4096];
    if (file == NULL || access(file, F_OK) != 0) {
        return;
    }
    snprintf(begun, sizeof begun, "%s.begun", file);
    close(open(begun, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    while (access(file, F_OK) == 0) {
        usleep(1000);
    }
}

int fsync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    stall();
    return real(fd);
}

int fdatasync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    stall();
    return real(fd);
}
