"""Recordings: a WAV file read strictly, G.711 decoded, and whether a tone is there."""

import math
import struct
import wave
from dataclasses import dataclass

RATE = 8000


class Broken(Exception):
    """A file is not what its own header says."""


@dataclass
class Sound:
    samples: tuple
    octets: int      # of the file
    announced: int   # octets of sound, by the header

    @property
    def seconds(self):
        return len(self.samples) / RATE


def read_wav(path):
    """16 bit, mono, 8 kHz. More sound than the header announces is how a file looks that is being written; less is
    damage."""
    with open(path, "rb") as file:
        data = file.read()
    if len(data) < 44 or data[:4] != b"RIFF" or data[8:16] != b"WAVEfmt ":
        raise Broken("no RIFF/WAVE header")
    riff, = struct.unpack_from("<I", data, 4)
    size, = struct.unpack_from("<I", data, 16)
    encoding, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, 20)
    if (encoding, channels, rate, bits) != (1, 1, RATE, 16):
        raise Broken(f"format {encoding}, {channels} channels, {rate} Hz, {bits} bit")
    at = 20 + size
    while data[at:at + 4] != b"data":
        if at + 8 > len(data):
            raise Broken("no data chunk")
        at += 8 + struct.unpack_from("<I", data, at + 4)[0]
    announced, = struct.unpack_from("<I", data, at + 4)
    at += 8
    if riff + 8 > len(data) or at + announced > len(data):
        raise Broken(f"the header announces {announced} octets of sound, the file has {len(data) - at}")
    if announced % 2:
        raise Broken("half a sample")
    with wave.open(path) as file:  # a second opinion
        if file.getnframes() * 2 != announced:
            raise Broken("python's wave module counts other samples")
    return Sound(struct.unpack_from(f"<{announced // 2}h", data, at), len(data), announced)


def write_wav(path, samples):
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def _ulaw(code):
    code = ~code & 0xFF
    value = (((code & 0x0F) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return -value if code & 0x80 else value


def _alaw(code):
    code ^= 0x55
    exponent, value = code >> 4 & 7, (code & 0x0F) << 4
    value = value + 8 if exponent == 0 else value + 0x108 << exponent - 1
    return value if code & 0x80 else -value


G711 = {0: tuple(map(_ulaw, range(256))), 8: tuple(map(_alaw, range(256)))}  # by payload type (RFC 3551)


def tone_share(samples, hz):
    """How much of the power lies in a sine of this frequency: 0 to 1. Windows of 100 ms, the median of them."""
    shares = []
    step = RATE // 10
    for begin in range(0, len(samples) - step + 1, step):
        window = samples[begin:begin + step]
        power = sum(x * x for x in window)
        if power / step < 100:
            shares.append(0.0)
            continue
        turn = 2 * math.pi * hz / RATE
        real = sum(x * math.cos(turn * i) for i, x in enumerate(window))
        imaginary = sum(x * math.sin(turn * i) for i, x in enumerate(window))
        shares.append(2 * (real * real + imaginary * imaginary) / step / power)
    return sorted(shares)[len(shares) // 2] if shares else 0.0


def silences(samples, frame=40, quiet=300):
    """[(first, end)] in samples: stretches without sound, in steps of 5 ms."""
    found, begin = [], None
    for at in range(0, len(samples), frame):
        loud = max(map(abs, samples[at:at + frame]), default=0) > quiet
        if loud and begin is not None:
            found.append((begin, at))
            begin = None
        elif not loud and begin is None:
            begin = at
    if begin is not None:
        found.append((begin, len(samples)))
    return found
