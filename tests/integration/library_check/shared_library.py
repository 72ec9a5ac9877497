"""A copy of a shared library in which a call is bound another way: what another build of it would have."""

import os
import struct

DT_PLTRELSZ, DT_STRTAB, DT_SYMTAB, DT_RELA, DT_RELASZ, DT_JMPREL = 2, 5, 6, 7, 8, 23
RELATIVE = {62: 8, 183: 1027}  # R_X86_64_RELATIVE, R_AARCH64_RELATIVE, by e_machine


class SharedLibrary:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = bytearray(file.read())
        self.name = os.path.basename(path)
        assert self.data[:6] == b"\x7fELF\x02\x01", "64 bits, little-endian"
        self.relative = RELATIVE[struct.unpack_from("<H", self.data, 18)[0]]
        offset, = struct.unpack_from("<Q", self.data, 32)
        size, number = struct.unpack_from("<HH", self.data, 54)
        headers = [struct.unpack_from("<IIQQQQQQ", self.data, offset + i * size) for i in range(number)]
        self.loaded = [(h[3], h[2], h[5]) for h in headers if h[0] == 1]  # address, offset, size in the file
        begin, length = next((h[2], h[5]) for h in headers if h[0] == 2)
        self.dynamic = {}
        for at in range(begin, begin + length, 16):
            tag, value = struct.unpack_from("<QQ", self.data, at)
            if tag == 0:
                break
            self.dynamic[tag] = value
        self.strings = self.file_offset(self.dynamic[DT_STRTAB])
        self.symbols = self.file_offset(self.dynamic[DT_SYMTAB])

    def file_offset(self, address):
        return next(offset + address - begin for begin, offset, size in self.loaded if begin <= address < begin + size)

    def symbol_name(self, index):
        at = self.strings + struct.unpack_from("<I", self.data, self.symbols + 24 * index)[0]
        return self.data[at:self.data.index(0, at)].decode()

    def is_own(self, index):
        return struct.unpack_from("<H", self.data, self.symbols + 24 * index + 6)[0] != 0

    def relocations(self):
        """(where in the file, symbol, addend)"""
        for table, size in ((DT_JMPREL, DT_PLTRELSZ), (DT_RELA, DT_RELASZ)):
            begin = self.file_offset(self.dynamic[table])
            for at in range(begin, begin + self.dynamic[size], 24):
                _, info, addend = struct.unpack_from("<QQq", self.data, at)
                if info >> 32:
                    yield at, info >> 32, addend

    def named(self, name):
        found = [r for r in self.relocations() if self.symbol_name(r[1]) == name]
        assert found, f"{self.name} does not call {name}"
        return found

    def bind_inside(self, name):
        """As a linker that is told -Bsymbolic. What is another library's leads to another function of that one."""
        for at, index, addend in self.named(name):
            if self.is_own(index):
                value, = struct.unpack_from("<Q", self.data, self.symbols + 24 * index + 8)
                struct.pack_into("<Qq", self.data, at + 8, self.relative, value + addend)
            else:
                other = next(i for _, i, _ in self.relocations() if i != index and not self.is_own(i))
                kind = struct.unpack_from("<I", self.data, at + 8)[0]
                struct.pack_into("<Q", self.data, at + 8, other << 32 | kind)

    def rename(self, name):
        _, index, _ = self.named(name)[0]
        at = self.strings + struct.unpack_from("<I", self.data, self.symbols + 24 * index)[0]
        self.data[at + len(name) - 1] = ord("_")

    def protect(self, name):
        """As a library that is compiled with protected symbols: the relocation is there, and bound inside."""
        _, index, _ = self.named(name)[0]
        self.data[self.symbols + 24 * index + 5] = 3

    def write(self, directory):
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, self.name), "wb") as file:
            file.write(self.data)
