"""Whether a recording holds a tone, measured with sox."""

import re
import subprocess

from .waiting import check


def _rms(path, *effects):
    result = subprocess.run(["sox", path, "-n", *effects, "stat"], capture_output=True, text=True, check=False)
    found = re.search(r"RMS\s+amplitude:\s+([\d.]+)", result.stderr)
    check(found, f"sox cannot read {path}: {result.stderr.strip()}")
    return float(found.group(1))


def seconds(path):
    return float(subprocess.run(["soxi", "-D", path], capture_output=True, text=True, check=True).stdout)


def tone(path, hz, share=0.5):
    """Checks that most of the power of the recording lies within 100 Hz of the tone."""
    whole = _rms(path)
    band = _rms(path, "sinc", f"{hz - 100}-{hz + 100}")
    check(whole > 0.005, f"{path} is silent (RMS {whole})")
    check((band / whole) ** 2 > share, f"{path}: {hz} Hz has only {(band / whole) ** 2:.0%} of the power")
    return seconds(path)
