"""With a SIP library that passes by what stands in front of it, in one function, the phone says which and does not
start: nothing is opened, nothing is written."""

import os
import re
import subprocess
import sys

from lib.waiting import check

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from shared_library import SharedLibrary  # noqa: E402

VARIANTS = ["bound_inside", "missing", "protected"]
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
UA, GLIB = "libsofia-sip-ua.so.0", "libsofia-sip-ua-glib.so.3"


def run(env):
    {"bound_inside": bound_inside, "missing": missing, "protected": protected}[env.variant](env)


def rows():
    """(function, whose) of the table of what stands in front."""
    with open(os.path.join(ROOT, "src/sip/README.md"), encoding="utf-8") as file:
        table = file.read().partition("| function | whose |")[2]
    found = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", table, re.MULTILINE)
    check(len(found) > 40, f"the table of src/sip/README.md has {len(found)} rows")
    return found


def library(env, name):
    listed = subprocess.run(["ldd", env.binary], capture_output=True, text=True, check=True).stdout
    return SharedLibrary(re.search(rf"{re.escape(name)} => (\S+)", listed).group(1))


def phone(env, name, copy, *settings):
    directory = env.path("library")
    copy.write(directory)
    return env.phone(name=name, launcher=["env", f"LD_LIBRARY_PATH={directory}", *settings])


def refuses(phone, name):
    status, _, output = phone.run("-c", "calls")
    check(status == 1, f"{name}: exit status {status}, not 1:\n{output}")
    for word in (f" {name}, in front of which", "libsofia-sip-ua", "apt-get install"):
        check(word in output, f"does not say {word!r}:\n{output}")
    check("the same is true of" not in output, f"more than {name} is named:\n{output}")
    check(not os.path.exists(phone.state), f"{name}: the state directory was made")


# The dynamic linker takes a RELATIVE among the calls of functions only when it binds them all at once.
AT_ONCE = "LD_BIND_NOW=1"


def bound_inside(env):
    for name, whose in rows():
        copy = library(env, GLIB if "GLib" in whose else UA)
        copy.bind_inside(name)
        refuses(phone(env, name, copy, AT_ONCE), name)
        os.remove(os.path.join(env.path("library"), copy.name))
    starts(env, AT_ONCE)


def missing(env):
    copy = library(env, UA)
    copy.rename("nua_stack_bye")
    refuses(phone(env, "lacks_it", copy), "nua_stack_bye")
    starts(env)


def protected(env):
    copy = library(env, UA)
    copy.protect("nua_client_response")
    refuses(phone(env, "protects_it", copy, AT_ONCE), "nua_client_response")
    starts(env, AT_ONCE)


def starts(env, *settings):
    status, _, output = phone(env, "as_it_is", library(env, UA), *settings).run("-c", "calls")
    check(status == 0, f"exit status {status} with a library as it is:\n{output}")
