"""baresip as the far end, with a tone to send and a recording of what it hears."""

import glob
import json
import os
import re
import socket
import subprocess

from .process import Process, listening
from .waiting import Failure, until

CONFIG = """
sip_listen {address}:{port}
audio_path /usr/share/baresip
audio_source aufile,{tone}
audio_player aubridge,nowhere
audio_alert aubridge,nowhere
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports {rtp_first}-{rtp_last}
rtp_stats yes
call_local_timeout 120
call_max_calls 4
module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
module aufile.so
module sndfile.so
snd_path {sound}
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {address}:{control}
"""


class Baresip:
    """It refuses loopback addresses, hence 192.0.2.x on lo."""

    def __init__(self, env, name="baresip", user="bob", address="192.0.2.1", port=5060, control=4444, tone_hz=1000,
                 rtp_first=17000, auto_answer=True, transport="udp"):
        self.env = env
        self.name = name
        self.address = address
        self.port = port
        self.uri = f"sip:{user}@{address}:{port}" + (";transport=tcp" if transport == "tcp" else "")
        self.directory = os.path.join(env.directory, name)
        self.sound = os.path.join(self.directory, "sound")
        os.makedirs(self.sound)
        env.add_address(address)
        tone = os.path.join(self.directory, "tone.wav")
        subprocess.run(["sox", "-n", "-r", "8000", "-c", "1", "-b", "16", tone, "synth", "60", "sine", str(tone_hz),
                        "gain", "-6"], check=True)
        with open(os.path.join(self.directory, "config"), "w", encoding="ascii") as file:
            file.write(CONFIG.format(address=address, port=port, tone=tone, control=control, sound=self.sound,
                                     rtp_first=rtp_first, rtp_last=rtp_first + 20))
        with open(os.path.join(self.directory, "accounts"), "w", encoding="ascii") as file:
            file.write(f"<sip:{user}@{address};transport={transport}>;regint=0;audio_codecs=pcmu"
                       + (";answermode=auto" if auto_answer else "") + "\n")
        open(os.path.join(self.directory, "contacts"), "w", encoding="ascii").close()
        self.process = Process(name, ["baresip", "-f", self.directory, "-s", "-v"], env.directory)
        env.at_end(self.stop)
        until(lambda: listening("tcp", address, control) or not self.process.running(), 10, f"{name} to listen")
        self.control = socket.create_connection((address, control), timeout=5)
        self.pending = b""
        self.heard = []

    def command(self, command, parameters="", deadline_s=5):
        """Over ctrl_tcp: netstrings of JSON; the answer, with the events that came before it skipped."""
        body = json.dumps({"command": command, "params": parameters, "token": command}).encode()
        self.control.sendall(b"%d:%s," % (len(body), body))
        return self._read(lambda m: m.get("response") and m.get("token") == command, deadline_s, f"answer to {command}")

    def wait_event(self, kind, deadline_s=5):
        """For example CALL_ESTABLISHED, CALL_CLOSED."""
        return self._read(lambda m: m.get("event") and m.get("type") == kind, deadline_s, f"event {kind}")

    def _read(self, match, deadline_s, what):
        result = []
        def arrived():
            while True:
                found = re.match(rb"(\d+):", self.pending)
                if found and len(self.pending) > found.end() + int(found.group(1)):
                    end = found.end() + int(found.group(1))
                    message = json.loads(self.pending[found.end():end])
                    self.pending = self.pending[end + 1:]
                    self.heard.append(message)
                    if match(message):
                        result.append(message)
                        return True
                    continue
                self.control.settimeout(0.05)
                try:
                    more = self.control.recv(65536)
                except TimeoutError:
                    return False
                if not more:
                    raise Failure(f"{self.name} closed its control connection before {what}")
                self.pending += more
        until(arrived, deadline_s, f"{self.name}: {what}")
        return result[0]

    def stop(self):
        self.process.stop()

    def recordings(self, which):
        """What sndfile wrote: which = "enc" (sent) or "dec" (heard). Complete once the call is over."""
        return sorted(glob.glob(os.path.join(self.sound, f"*{which}*.wav")))
