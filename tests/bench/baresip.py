"""baresip as the measure beside ours: as few modules as a call with G.711 needs, a tone to send, nothing to hear it."""

import math
import os
import shutil
import struct
import wave

ADDRESS, PEER = "192.0.2.2", "192.0.2.1"  # it refuses loopback addresses
CONFIG = """
sip_listen {address}:5060
audio_path /nowhere
audio_source aufile,{tone}
audio_player aubridge,nowhere
audio_alert aubridge,nowhere
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports 20000-24000
call_max_calls 200
call_local_timeout 120
module_path {modules}
module g711.so
module aubridge.so
module aufile.so
module_tmp account.so
module_app menu.so
"""


def modules():
    """Where its modules are, or None when it is not installed."""
    places = ["/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules"]
    found = [place for place in places if os.path.exists(os.path.join(place, "g711.so"))]
    return found[0] if found and shutil.which("baresip") else None


def command(env, name, *more):
    """Its command line, or an empty one where it is not installed."""
    place = modules()
    if place is None:
        return []
    for address in (ADDRESS, PEER):
        env.add_address(address)
    directory = env.path(name)
    os.makedirs(directory)
    tone = os.path.join(directory, "tone.wav")
    with wave.open(tone, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"".join(struct.pack("<h", int(10000 * math.sin(2 * math.pi * 440 * i / 8000)))
                                  for i in range(8000 * 60)))
    with open(os.path.join(directory, "config"), "w", encoding="ascii") as file:
        file.write(CONFIG.format(address=ADDRESS, tone=tone, modules=place))
    with open(os.path.join(directory, "accounts"), "w", encoding="ascii") as file:
        file.write(f"<sip:alice@{ADDRESS};transport=udp>;regint=0;audio_codecs=pcmu;answermode=auto\n")
    open(os.path.join(directory, "contacts"), "w", encoding="ascii").close()
    return [shutil.which("baresip"), "-f", directory, *more]


def calling(env, name):
    return command(env, name, "-e", f"/dial sip:bob@{PEER}:5060")
