"""Kamailio as the proxy between the phone and its peer."""

import os

from .process import Process, listening
from .waiting import Failure, until

CONFIG = """
#!KAMAILIO
# Record-routes the initial INVITE and nothing after it, as many proxies do: the route set must then
# come from the record and not from the answer to the re-INVITE.
debug=2
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:{address}:{port}
{tcp}
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "siputils.so"
loadmodule "pv.so"
loadmodule "textops.so"
modparam("rr", "enable_double_rr", 1)
modparam("rr", "append_fromtag", 0)

request_route {{
    if (has_totag()) {{
        {refuse}
        if (!loose_route() && !is_method("ACK")) {{
            sl_send_reply("404", "Not one of my dialogs");
            exit;
        }}
        t_relay();
        exit;
    }}
    if (is_method("CANCEL")) {{
        if (t_check_trans()) {{ t_relay(); }}
        exit;
    }}
    if (is_method("INVITE")) {{ record_route(); }}
    remove_hf("Route");
    t_relay();
}}
"""


class Kamailio:
    """`refuses`: what it says to every request within a dialog."""

    def __init__(self, env, address="127.0.0.3", port=5060, tcp=False, name="kamailio", refuses=None):
        self.address = address
        self.port = port
        self.uri = f"sip:{address}:{port};lr"
        path = os.path.join(env.directory, name + ".cfg")
        with open(path, "w", encoding="ascii") as file:
            refuse = f'if (!is_method("ACK")) {{ sl_send_reply("{refuses}", "Restarted"); }} exit;' if refuses else ""
            file.write(CONFIG.format(address=address, port=port, refuse=refuse,
                                     tcp=f"listen=tcp:{address}:{port}" if tcp else "disable_tcp=yes").lstrip())
        self.process = Process(name, ["kamailio", "-DD", "-E", "-f", path, "-Y", env.directory,
                                      "-P", os.path.join(env.directory, name + ".pid"), "-m", "16", "-M", "4"],
                               env.directory)
        env.at_end(self.process.stop)
        until(lambda: listening("udp", address, port) and (not tcp or listening("tcp", address, port))
              or not self.process.running(), 10, f"{name} to listen")
        if not self.process.running():
            raise Failure(f"{name} did not start:\n{self.process.log()[-1500:]}")
