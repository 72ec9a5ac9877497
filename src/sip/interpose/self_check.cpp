#include "sip/interpose/self_check.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <fmt/format.h>

#include "revenant/base/result.hpp"
#include "revenant/sip/library.hpp"

namespace revenant::sip {

namespace {

constexpr std::size_t count = in_front.size();
constexpr std::size_t digests = 2048;

enum Library : std::uint8_t { sofia, sofia_glib };

constexpr std::array<std::string_view, 2> library_names{"libsofia-sip-ua.so",
                                                        "libsofia-sip-ua-glib.so"};

Library caller_of(const InFront& function) {
    return function.whose == Whose::glib || function.whose == Whose::glue ? sofia_glib : sofia;
}

// The part of a library that the dynamic linker reads. Its addresses are in this process.
struct Dynamic {
    const ElfW(Sym) * symbols = nullptr;
    const char* names = nullptr;
    std::array<std::uintptr_t, 3> tables{};   // JMPREL, RELA, REL
    std::array<std::size_t, 3> sizes{};       // in bytes
    std::array<std::size_t, 3> entry_sizes{}; // of one relocation
    bool binds_inside = false;                // -Bsymbolic
};

struct Seen {
    std::array<std::string, library_names.size()> paths;
    std::array<bool, count> is_called{};
    std::uintptr_t program_begin = UINTPTR_MAX;
    std::uintptr_t program_end = 0;
};

// The rows by name.
const std::array<const InFront*, count>& sorted() {
    static const auto rows = [] {
        std::array<const InFront*, count> all{};
        std::ranges::transform(in_front, all.begin(), [](const InFront& row) { return &row; });
        std::ranges::sort(all, [](const InFront* a, const InFront* b) {
            return std::strcmp(a->slot->name(), b->slot->name()) < 0;
        });
        return all;
    }();
    return rows;
}

// Of the thousands of names in a library nearly all have a digest that no row has.
std::size_t digest_of(std::string_view name) {
    const auto at = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(name[i])}; };
    const std::size_t size = name.size();
    return size == 0 ? 0 : (size * 61 + at(size / 2) * 31 + at(size - 1) * 7 + at(0)) % digests;
}

const std::bitset<digests>& wanted_digests() {
    static const auto all = [] {
        std::bitset<digests> wanted;
        for (const InFront& row : in_front) {
            wanted.set(digest_of(row.slot->name()));
        }
        return wanted;
    }();
    return all;
}

void note_called(const char* name, Library library, Seen& seen) {
    if (!wanted_digests()[digest_of(name)]) {
        return;
    }
    const auto found = std::ranges::lower_bound(
        sorted(), name, [](const char* a, const char* b) { return std::strcmp(a, b) < 0; },
        [](const InFront* row) { return row->slot->name(); });
    if (found != sorted().end() && std::strcmp((*found)->slot->name(), name) == 0 &&
        caller_of(**found) == library) {
        seen.is_called.at(static_cast<std::size_t>(*found - in_front.data())) = true;
    }
}

Dynamic read_dynamic(const dl_phdr_info& info, const ElfW(Phdr) & segment) {
    // glibc makes addresses of these; some other dynamic linkers leave the offsets.
    const auto address = [&](ElfW(Addr) value) {
        return value < info.dlpi_addr ? info.dlpi_addr + value : value;
    };
    Dynamic d;
    d.entry_sizes = {sizeof(ElfW(Rela)), sizeof(ElfW(Rela)), sizeof(ElfW(Rel))};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): where the library is
    const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(info.dlpi_addr + segment.p_vaddr);
    for (; entry->d_tag != DT_NULL; ++entry) {
        const auto value = entry->d_un.d_val;
        switch (entry->d_tag) {
        // NOLINTBEGIN(performance-no-int-to-ptr): where the library is
        case DT_SYMTAB: d.symbols = reinterpret_cast<const ElfW(Sym)*>(address(value)); break;
        case DT_STRTAB: d.names = reinterpret_cast<const char*>(address(value)); break;
        // NOLINTEND(performance-no-int-to-ptr)
        case DT_JMPREL: d.tables[0] = address(value); break;
        case DT_PLTRELSZ: d.sizes[0] = value; break;
        case DT_PLTREL:
            d.entry_sizes[0] = value == DT_RELA ? sizeof(ElfW(Rela)) : sizeof(ElfW(Rel));
            break;
        case DT_RELA: d.tables[1] = address(value); break;
        case DT_RELASZ: d.sizes[1] = value; break;
        case DT_REL: d.tables[2] = address(value); break;
        case DT_RELSZ: d.sizes[2] = value; break;
        case DT_SYMBOLIC: d.binds_inside = true; break;
        case DT_FLAGS: d.binds_inside = d.binds_inside || (value & DF_SYMBOLIC) != 0; break;
        default: break;
        }
    }
    return d;
}

// A function that is looked up by its name: a hidden or protected one is the library's own.
bool is_looked_up(const ElfW(Sym) & symbol, bool binds_inside) {
    const bool is_own = symbol.st_shndx != SHN_UNDEF;
    const unsigned type = ELF64_ST_TYPE(symbol.st_info); // the same in both classes
    return (type == STT_FUNC || type == STT_NOTYPE || type == STT_GNU_IFUNC) &&
           ELF64_ST_BIND(symbol.st_info) != STB_LOCAL &&
           ELF64_ST_VISIBILITY(symbol.st_other) == STV_DEFAULT && !(is_own && binds_inside);
}

void look_through(const Dynamic& d, Library library, Seen& seen) {
    for (std::size_t table = 0; table < d.tables.size(); ++table) {
        for (std::size_t at = 0; at < d.sizes.at(table); at += d.entry_sizes.at(table)) {
            // Rela begins as Rel does.
            // NOLINTNEXTLINE(performance-no-int-to-ptr): where the library is
            const auto* relocation = reinterpret_cast<const ElfW(Rel)*>(d.tables.at(table) + at);
            const auto index = sizeof(ElfW(Addr)) == 8 ? ELF64_R_SYM(relocation->r_info)
                                                       : relocation->r_info >> 8U;
            if (index != 0 && is_looked_up(d.symbols[index], d.binds_inside)) {
                note_called(d.names + d.symbols[index].st_name, library, seen);
            }
        }
    }
}

void note_program(const dl_phdr_info& info, Seen& seen) {
    for (std::size_t i = 0; i < info.dlpi_phnum; ++i) {
        const ElfW(Phdr)& segment = info.dlpi_phdr[i];
        if (segment.p_type == PT_LOAD) {
            const std::uintptr_t begin = info.dlpi_addr + segment.p_vaddr;
            seen.program_begin = std::min(seen.program_begin, begin);
            seen.program_end = std::max(seen.program_end, begin + segment.p_memsz);
        }
    }
}

// The program comes first.
int look_at(dl_phdr_info* info, std::size_t /*size*/, void* context) {
    Seen& seen = *static_cast<Seen*>(context);
    if (seen.program_end == 0) {
        note_program(*info, seen);
        return 0;
    }
    const std::string_view path = info->dlpi_name;
    const std::string_view file = path.substr(path.rfind('/') + 1);
    const auto name = std::ranges::find_if(
        library_names, [&](std::string_view one) { return file.starts_with(one); });
    if (name == library_names.end()) {
        return 0;
    }
    const auto library = static_cast<Library>(name - library_names.begin());
    seen.paths.at(library) = path;
    for (std::size_t i = 0; i < info->dlpi_phnum; ++i) {
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC) {
            look_through(read_dynamic(*info, info->dlpi_phdr[i]), library, seen);
        }
    }
    return 0;
}

bool is_ours(const char* name, const Seen& seen) {
    const auto address = reinterpret_cast<std::uintptr_t>(::dlsym(RTLD_DEFAULT, name));
    return address >= seen.program_begin && address < seen.program_end;
}

// What is said of the library, before the function's name.
std::string_view in_words(Fault fault) {
    switch (fault) {
    case Fault::not_taken: return "this program has nothing in the place of";
    case Fault::no_own: return "it does not have";
    case Fault::not_ours: return "before the phone's own comes another library's";
    case Fault::no_call: return "it does not ask by name for";
    }
    return "";
}

} // namespace

std::vector<Passed> find_passed() {
    Seen seen;
    ::dl_iterate_phdr(look_at, &seen);
    std::vector<Passed> passed;
    for (std::size_t i = 0; i < count; ++i) {
        const InFront& function = in_front.at(i);
        Front& slot = *function.slot;
        const auto note = [&](Fault fault) {
            passed.push_back({.function = &function,
                              .fault = fault,
                              .library = seen.paths.at(caller_of(function))});
        };
        if (!slot.is_taken()) {
            note(Fault::not_taken);
        } else if (slot.own_address() == nullptr) {
            note(Fault::no_own);
        } else if (!seen.is_called.at(i)) {
            note(Fault::no_call);
        } else if (!is_ours(slot.name(), seen)) {
            note(Fault::not_ours);
        }
    }
    return passed;
}

base::Status check_library() {
    const std::vector<Passed> passed = find_passed();
    if (passed.empty()) {
        return {};
    }
    const Passed& first = passed.front();
    std::string others;
    for (const Passed& one : std::span{passed}.subspan(1)) {
        others += fmt::format("{}{}", others.empty() ? "; the same is true of " : ", ",
                              one.function->slot->name());
    }
    return base::fail(
        base::Errc::unsupported,
        fmt::format(
            "the SIP library does not fit this phone ({}): {} {}, in front of which the phone "
            "stands "
            "so that {}{}. Calls would be lost without a word, so the phone does not start. Use "
            "libsofia-sip-ua 1.12.11 as Debian 12 or 13 builds it (apt-get install "
            "libsofia-sip-ua0 "
            "libsofia-sip-ua-glib3; look at LD_LIBRARY_PATH and LD_PRELOAD); one that is linked "
            "with "
            "-Bsymbolic, hidden symbols or LTO will not do",
            first.library.empty() ? "it is not loaded" : first.library, in_words(first.fault),
            first.function->slot->name(), first.function->why, others));
}

} // namespace revenant::sip
