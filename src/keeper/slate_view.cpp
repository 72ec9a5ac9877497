#include "keeper/slate_view.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace revenant::keeper {

SlateView::~SlateView() {
    if (slate_ != nullptr) {
        ::munmap(slate_, slate_size);
    }
}

void SlateView::open(int fd) {
    constexpr int sealed = F_SEAL_SHRINK | F_SEAL_GROW;

    struct stat status {};

    const int seals = ::fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & sealed) != sealed || ::fstat(fd, &status) != 0 ||
        status.st_size != static_cast<off_t>(slate_size)) {
        return;
    }
    void* const page = ::mmap(nullptr, slate_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        return;
    }
    if (slate_ != nullptr) {
        ::munmap(slate_, slate_size);
    }
    // SAFETY: a Slate is atomics and characters, for which all bytes are values.
    slate_ = static_cast<Slate*>(page);
}

bool SlateView::is_readable() const {
    return slate_ != nullptr && slate_->layout.load() == slate_layout;
}

void SlateView::begin_life() {
    if (is_readable()) {
        slate_->disk_waits.store(0);
        slate_->asked_to_end.store(0);
    }
}

bool SlateView::in_store() const {
    return is_readable() && slate_->disk_waits.load() > 0;
}

int SlateView::asked_to_end() const {
    return is_readable() ? slate_->asked_to_end.load() : 0;
}

} // namespace revenant::keeper
