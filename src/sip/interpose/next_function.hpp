// The function that one of ours stands in front of. A function defined in the program wins over a
// library's of the same name, also for calls from other libraries; this finds the library's own.
#pragma once

#include <cstring>

#include <dlfcn.h>

namespace revenant::sip {

template <typename Function>
Function* next_function(const char* name) {
    void* symbol = ::dlsym(RTLD_NEXT, name);
    Function* function = nullptr;
    static_assert(sizeof function == sizeof symbol);
    std::memcpy(&function, &symbol, sizeof function);
    return function;
}

} // namespace revenant::sip
