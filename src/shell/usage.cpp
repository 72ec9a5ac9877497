#include <string>

#include "revenant/shell/options.hpp"

namespace revenant::shell {

std::string usage() {
    return R"(usage: revenant [OPTION]... [-c COMMAND]... [-f FILE]...

A SIP softphone whose calls survive its own death: kill it, start it again with
the same --state, and the calls go on.

Who and where
  --aor URI                 who we are: sip:alice@example.org, or with a name
                            '"Alice" <sip:alice@example.org>'
  --listen ADDR:PORT[;transport=udp|tcp]
                            a numeric address to be reached at; repeatable; both
                            transports unless one is named; [V6]:PORT for IPv6;
                            port 0: one that is free
  -p, --outbound-proxy URI  send requests outside of dialogs through this proxy
  --credentials FILE        lines REALM:USER:PASSWORD; the file's mode is 0600
  --state DIR               where the calls are kept; 'auto': a directory of its
                            own for each --aor, or else for each --listen

Calls
  -a, --auto-answer[=STATUS]
                            answer each call at once, with 200 or this status
  --resume=auto|ask|never   what to do with the calls of a killed phone: take
                            them up at once, wait for 'reinvite' (the default),
                            or leave them
  --resume-deadline SECONDS how long to try, 1 to 3600 (32)
  --session-expires SECONDS refresh interval, 90 to 86400 (1800); 0: none
  --max-calls COUNT         how many may ring at a time, 1 to 10000 (64); who
                            comes beyond hears that we are busy
  --no-answer SECONDS       how long they may ring, to 86400 (180); 0: no limit
  --durable                 survive a power cut too: fsync each record
  --keep                    run under revenant-keeper: it holds the sockets and
                            starts the phone again when it dies
  --no-journal              store nothing: calls end with the program

Media
  --audio SOURCE[,SINK]     silence, tone:HZ, file:PATH.wav or echo; null or
                            file:PATH.wav (silence,null); %c in the latter is
                            the call's number
  --codecs NAME[,NAME]...   in order of preference, like PCMA,PCMU
  --rtp-ports MIN-MAX       MIN even (20000-29999)

Scripts and output
  -c, --command COMMAND     run COMMAND; repeatable, in order with -f
  -f, --file FILE           run the commands in FILE; '-' is stdin
  --keep-going              go on after a command that failed
  --interactive             stay at the prompt after the script; from a stdin
                            that is no terminal, take each command as it comes
  --no-bell                 do not ring the terminal's bell for a call
  --json                    one JSON object a line instead of text
  -v, --verbose             say more; -vv: much more
  -h, --help                print this
  --version                 print the version

Environment, where the option is not given: REVENANT_AOR, REVENANT_PROXY,
REVENANT_STATE, REVENANT_AUDIO. The state directory is otherwise
$XDG_STATE_HOME/revenant or ~/.local/state/revenant. NO_COLOR turns colour off.
Without -c and -f the prompt comes up; 'help' there lists the commands. What
comes from a stdin that is no terminal is a script.
)";
}

} // namespace revenant::shell
