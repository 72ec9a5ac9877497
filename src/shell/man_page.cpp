// The manual pages.
#include <string>
#include <string_view>

#include "revenant/shell/documents.hpp"
#include "shell/option_table.hpp"

namespace revenant::shell {

namespace {

// `text` as roff prints it: a hyphen that can be copied, and nothing that is taken for a request.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '\\': out += "\\e"; break;
        case '-': out += "\\-"; break;
        case '\'': out += "\\(aq"; break;
        case '~': out += "\\(ti"; break;
        case '.': out += out.empty() ? "\\&." : "."; break;
        default: out += c;
        }
    }
    return out;
}

std::string bold(std::string_view text) {
    return "\\fB" + escaped(text) + "\\fR";
}

std::string italic(std::string_view text) {
    return "\\fI" + escaped(text) + "\\fR";
}

std::string item(const std::string& tag, const std::string& text) {
    return ".TP\n" + tag + "\n" + text + "\n";
}

std::string title(std::string_view name, std::string_view section, std::string_view about) {
    return ".\\\" Made of the program's table of options.\n"
           ".TH " +
           std::string{name} + " " + std::string{section} +
           " \"\" \"revenant " REVENANT_VERSION "\"\n.nh\n.ad l\n.SH NAME\n" + std::string{about} +
           "\n";
}

// "-p, --outbound-proxy URI", in its fonts.
std::string tag(const OptionRow& row) {
    std::string out =
        row.letter != '\0' ? bold(std::string{'-', row.letter}) + ", " : std::string{};
    out += bold((row.is_on_by_default ? "--no-" : "--") + std::string{row.name});
    switch (row.takes) {
    case Takes::nothing:
    case Takes::count: return out;
    case Takes::optional_value: return out + "[=" + italic(row.argument) + "]";
    case Takes::value: break;
    }
    return choices(row).empty() ? out + " " + italic(row.argument) : out + "=" + bold(row.argument);
}

// "durable = true|false", in its fonts.
std::string key_tag(const OptionRow& row) {
    const std::string name = bold(row.name) + " = ";
    const std::string argument = choices(row).empty() ? italic(row.argument) : bold(row.argument);
    switch (row.takes) {
    case Takes::nothing: return name + bold("true|false");
    case Takes::optional_value: return name + bold("true|false|") + argument;
    case Takes::count:
    case Takes::value: break;
    }
    return name + argument + (row.is_repeatable ? "..." : "");
}

std::string option_text(const OptionRow& row) {
    std::string out = escaped(row.help);
    if (!row.alias.empty()) {
        out += "; also " + bold("--" + std::string{row.alias});
    }
    if (!row.environment.empty()) {
        out += "; else " + bold("$" + std::string{row.environment});
    }
    return out;
}

std::string key_text(const OptionRow& row) {
    return (row.is_on_by_default ? bold("false") + ": " : "") + escaped(row.help);
}

constexpr std::string_view after_environment = R"(.TP
.B NO_COLOR
no colour
.SH FILES
.TP
\fI$XDG_CONFIG_HOME/revenant/revenant.conf\fR, else \fI\(ti/.config/revenant/revenant.conf\fR
the configuration file, see
.BR revenant.conf (5)
.TP
\fI$XDG_STATE_HOME/revenant\fR, else \fI\(ti/.local/state/revenant\fR
the calls
.SH EXIT STATUS
.TP
.B 0
all commands succeeded
.TP
.B 1
a command failed, or the phone could not start
.TP
.B 2
the command line, the environment or the configuration file is wrong
.TP
.B 3
a call of an earlier run could not be resumed, or a drill was lost
.TP
.BI 128+ N
signal
.I N
has cut a script short
.SH SIGNALS
SIGTERM says BYE in all calls and ends the phone, SIGHUP leaves the calls to the next start; both take at most five
seconds. SIGUSR2 starts the program anew under its keeper.
.SH SEE ALSO
.BR revenant.conf (5),
.B revenant\-keeper \-\-help
)";

} // namespace

std::string man_page() {
    std::string out =
        title("REVENANT", "1", "revenant \\- SIP softphone whose calls survive its death");
    out += R"(.SH SYNOPSIS
.B revenant
.RI [ OPTION ]...
.RB [ \-c
.IR COMMAND ]...
.RB [ \-f
.IR FILE ]...
.SH DESCRIPTION
A SIP softphone for the terminal. Kill it, start it again with the same
.BR \-\-state ,
and the calls go on. Without
.B \-c
and
.B \-f
the prompt comes up;
.B help
there lists the commands. What comes from a standard input that is no terminal is a script.
.SH OPTIONS
What the command line does not say is taken from the environment, then from the configuration file. A switch that
they have set is taken back by
.BR \-\-no\- \fINAME\fR.
)";
    for (const Group group : documented_groups()) {
        out.append(".SS ").append(heading(group)).append("\n");
        for (const OptionRow& row : option_table()) {
            if (row.group == group) {
                out += item(tag(row), option_text(row));
            }
        }
    }
    out += ".SH ENVIRONMENT\n";
    for (const OptionRow& row : option_table()) {
        if (!row.environment.empty()) {
            out += item(bold(row.environment),
                        "where " + bold("--" + std::string{row.name}) + " is not given");
        }
    }
    return out.append(after_environment);
}

std::string config_man_page() {
    std::string out = title("REVENANT.CONF", "5",
                            "revenant.conf \\- options of revenant that are always the same");
    out += R"(.SH DESCRIPTION
.BR revenant (1)
reads
.I $XDG_CONFIG_HOME/revenant/revenant.conf
or
.IR \(ti/.config/revenant/revenant.conf ,
if there is one, or the file that
.B \-\-config
names; none with
.BR \-\-no\-config .
The command line and the environment count before it.
.PP
The file is UTF\-8. A line
.B [phone]
begins the options; each is a line
.IR KEY " = " VALUE .
A line that begins with
.B #
is a comment. In a value
.BR \es ", " \en ", " \et
and
.B \e\e
stand for a blank, a line's end, a tab and a backslash; blanks at its ends are not part of it. Paths begin with
.B /
or
.BR \(ti/ .
A key that is not known or is there twice is an error.
.PP
Under a keeper the file is read once: all lives of a phone have the configuration of its first.
.SH KEYS
)";
    for (const Group group : documented_groups()) {
        out.append(".SS ").append(heading(group)).append("\n");
        for (const OptionRow& row : option_table()) {
            if (row.group == group && row.has_key) {
                out += item(key_tag(row), key_text(row));
            }
        }
    }
    return out + R"(.SH EXAMPLE
.nf
[phone]
aor = "Alice" <sip:alice@example.org>
listen = 192.0.2.1:5060
outbound\-proxy = sip:proxy.example.org
keep = true
.fi
.SH SEE ALSO
.BR revenant (1)
)";
}

} // namespace revenant::shell
