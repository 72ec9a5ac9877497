"""What a scenario gets: its directory, the program, and everything that has to be ended afterwards."""

import os
import subprocess

from .baresip import Baresip
from .capture import Capture
from .kamailio import Kamailio
from .phone import Phone
from .process import Process
from .sipp import Sipp


class Env:
    def __init__(self, binary, source, directory, variant=None):
        self.binary = binary
        self.source = source        # where scenario.py is
        self.directory = directory  # where its files go
        self.variant = variant
        self.ends = []
        self._capture = None

    def at_end(self, function):
        self.ends.append(function)

    def close(self):
        for function in reversed(self.ends):
            try:
                function()
            except Exception as error:  # the other ends are still to come
                print(f"while cleaning up: {error!r}", flush=True)
        self.ends = []

    @property
    def capture(self):
        if self._capture is None:
            self._capture = Capture(self)
        return self._capture

    @property
    def sanitized(self):
        """Whether the phone is built with the address sanitizer, which keeps 256 MB of what was freed."""
        with open(self.binary, "rb") as file:
            return b"__asan_init" in file.read()

    def phone(self, **arguments):
        self.capture  # from the first packet on
        return Phone(self, **arguments)

    def sipp(self, xml, **arguments):
        self.capture
        return Sipp(self, xml, **arguments)

    def baresip(self, **arguments):
        self.capture
        return Baresip(self, **arguments)

    def kamailio(self, **arguments):
        self.capture
        return Kamailio(self, **arguments)

    def process(self, name, arguments):
        process = Process(name, arguments, self.directory)
        self.at_end(process.stop)
        return process

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    @staticmethod
    def add_address(address):
        """On lo of the scenario's own network namespace."""
        subprocess.run(["ip", "addr", "replace", f"{address}/{128 if ':' in address else 32}", "dev", "lo",
                        *(["nodad"] if ":" in address else [])], check=True)

    def pair(self, one, other):
        """Two addresses on lo; what an unbound socket sends to the one comes from the other, as between two hosts
        (the kernel would otherwise take the destination itself as the source)."""
        for address, source in ((one, other), (other, one)):
            self.add_address(address)
        for address, source in ((one, other), (other, one)):
            subprocess.run(["ip", "route", "replace", "local", f"{address}/32", "dev", "lo", "proto", "kernel",
                            "scope", "host", "src", source, "table", "local"], check=True)
