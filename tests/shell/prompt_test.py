#!/usr/bin/env python3
"""The prompt on a real terminal: prompt_test.py PROGRAM [TEST...]

PROGRAM is tests/shell/prompt_program.cpp. Each test runs it in a tmux of its own, types, and waits,
up to a deadline and never for a fixed time, until the screen shows what it must. tmux is the
terminal, so what is checked is what a user sees, not which bytes were sent.
"""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

from terminal import DEADLINE_S, Terminal, wait_for


def a_notice_leaves_the_typed_line_whole_and_in_place(t):
    t.sees("1 call>")
    t.type("say one two")
    t.key("Left", "Left", "Left")
    t.sees("1 call> say one two")
    t.cursor_at(16, 0)
    t.signal(signal.SIGUSR1)
    t.sees("notice 1 of a call", "1 call> say one two")
    t.cursor_at(16, 1)
    t.type("x")
    t.sees("notice 1 of a call", "1 call> say one xtwo")
    t.key("Enter")
    t.sees("notice 1 of a call", "1 call> say one xtwo", "say ran [one] [xtwo]", "1 call>")


def a_notice_leaves_a_line_of_several_rows_whole(t):
    t.sees("1 call>")
    text = "say " + "abcdefghi " * 14
    t.type(text.strip())
    whole = "1 call> " + text.strip()
    rows = [whole[i:i + 60].rstrip() for i in range(0, len(whole), 60)]
    t.sees(*rows)
    t.key("Home")
    t.cursor_at(8, 0)
    for n in (1, 2, 3):
        t.signal(signal.SIGUSR1)
        t.sees(*[f"notice {i} of a call" for i in range(1, n + 1)], *rows)
        t.cursor_at(8, n)
    t.key("End")
    t.signal(signal.SIGUSR1)
    t.sees(*[f"notice {i} of a call" for i in range(1, 5)], *rows)


def a_notice_leaves_a_search_in_the_history_whole(t):
    t.type("say first")
    t.key("Enter")
    t.sees("1 call> say first", "say ran [first]", "1 call>")
    t.key("C-r")
    t.type("fir")
    t.sees("1 call> say first", "say ran [first]", "(reverse-i-search)`fir': say first")
    t.signal(signal.SIGUSR1)
    t.sees("1 call> say first", "say ran [first]", "notice 1 of a call",
           "(reverse-i-search)`fir': say first")
    t.key("Enter")
    t.sees("1 call> say first", "say ran [first]", "notice 1 of a call", "1 call> say first",
           "say ran [first]", "1 call>")


def a_new_prompt_text_leaves_the_typed_line(t):
    t.type("say x")
    t.sees("1 call> say x")
    t.signal(signal.SIGUSR2)
    t.sees("2 calls> say x")
    t.cursor_at(14, 0)


def a_narrower_terminal_redraws_the_line(t):
    t.type("say aaaa bbbb cccc dddd eeee")
    t.sees("1 call> say aaaa bbbb cccc dddd eeee")
    t.tmux("resize-window", "-x", "30", "-y", "20")
    wait_for("the end of the line", lambda: "".join(t.screen()).endswith("eeee"))
    t.signal(signal.SIGUSR1)
    wait_for("the notice above the whole line", lambda: "\n".join(t.screen()).endswith(
        "notice 1 of a call\n1 call> say aaaa bbbb cccc ddd\nd eeee"))


def tab_completes_commands_ids_uris_files_conditions_and_words(t):
    for typed, completed, ran in (
            ("inv\tsi\t", "invite sip:bob@example.org:5070", "invite ran [sip:bob@example.org:5070]"),
            ("hold 2\t", "hold 27", "hold ran [27]"),
            ("wait e\t", "wait established", "wait ran [established]"),
            ("say hello h\t\t\b", "say hello hel", None),
            ("play tw\t", "play two\\ words.wav", "play ran [two words.wav]"),
            ("play \"tw\t", "play \"two words.wav\"", "play ran [two words.wav]"),
            ("play it\t", "play it\\'s\\ \\#1.wav", "play ran [it's #1.wav]"),
            ("play dir\ta\t", "play directory/a.wav", "play ran [directory/a.wav]"),
    ):
        t.key("C-l")
        t.type(typed.replace("\b", ""))
        wait_for(f"'{completed}' from '{typed}'; there is {t.screen()}",
                 lambda: t.screen() and t.screen()[-1].rstrip().startswith("1 call> " + completed))
        if ran is None:
            assert any("hello" in line and "help-me" in line for line in t.screen()[:-1]), t.screen()
            t.key("C-u")
            continue
        t.key("Enter")
        wait_for(f"'{ran}'; there is {t.screen()}", lambda: ran in t.screen())


def tab_offers_no_file_where_a_command_belongs(t):
    t.type("two\t")
    t.sees("1 call> two")
    t.type("!")
    t.sees("1 call> two!")


def ctrl_c_clears_the_line_and_the_program_lives(t):
    t.type("say something long")
    t.sees("1 call> say something long")
    t.key("C-c")
    t.sees("1 call> say something long^C", "1 call>")
    t.type("say x")
    t.key("Enter")
    t.sees("1 call> say something long^C", "1 call> say x", "say ran [x]", "1 call>")
    t.key("C-c")
    t.sees("1 call> say something long^C", "1 call> say x", "say ran [x]", "1 call> ^C",
           "interrupted", "1 call>")


def ctrl_c_leaves_a_search(t):
    t.type("say first")
    t.key("Enter")
    t.sees("1 call> say first", "say ran [first]", "1 call>")
    t.key("C-r")
    t.type("fir")
    wait_for("the search", lambda: "(reverse-i-search)`fir': say first" in t.screen())
    t.key("C-c")
    wait_for("a fresh prompt", lambda: t.screen()[-1] == "1 call>")
    t.type("say second")
    t.key("Enter")
    wait_for("the command", lambda: t.screen()[-2:] == ["say ran [second]", "1 call>"])


def ctrl_d_ends_only_on_an_empty_line_and_restores_the_terminal(t):
    t.type("say x")
    t.sees("1 call> say x")
    t.key("C-d")
    t.type("y")
    t.sees("1 call> say xy")
    t.key("C-u", "C-d")
    wait_for("the end", lambda: "ended by end" in t.screen())
    wait_for("the settings", lambda: t.screen()[-2:] == ["status 0", "ixon icanon echo"]
             or t.screen()[-2:] == ["status 0", "icanon ixon echo"])


def quit_ends_from_within_a_line(t):
    t.type("quit")
    t.key("Enter")
    wait_for("the end", lambda: t.screen()[:3] == ["1 call> quit", "ended by quit", "status 0"])


def ctrl_s_does_not_stop_the_phone(t):
    t.sees("1 call>")
    t.key("C-s", "C-g")
    t.type("say x")
    t.key("Enter")
    wait_for("the command", lambda: "say ran [x]" in t.screen())


def the_history_holds_no_secrets_and_survives_a_kill(t):
    # The middle ones: secret, secret and broken, secret and mistyped, begun with a blank, repeated.
    for line in ("say one", "key bob:pw1", "k 'bob:pw2", "kye bob:pw3", " say private", "say two",
                 "say two"):
        t.type(line)
        t.key("Enter")
    wait_for("the last line", lambda: t.screen().count("say ran [two]") == 2)
    assert t.saved() == ["say one", "say two"], t.saved()
    assert os.stat(t.history).st_mode & 0o777 == 0o600
    t.key("Up", "Up")
    wait_for("the mistyped line, for mending", lambda: t.screen()[-1] == "1 call> kye bob:pw3")
    t.key("Up")
    wait_for("the line before, which is no secret", lambda: t.screen()[-1] == "1 call> say one")
    t.signal(signal.SIGKILL)
    wait_for("the death", lambda: any("status 137" in line for line in t.screen()))
    assert t.saved() == ["say one", "say two"], t.saved()


def a_paste_of_several_lines_runs_each(t):
    t.sees("1 call>")
    t.tmux("set-buffer", "say one\nsay two\n\nsay three")
    t.tmux("paste-buffer", "-p")
    wait_for("the paste", lambda: t.screen()[-1] == "say three")
    t.key("Enter")
    wait_for("all three", lambda: t.screen()[-4:] == ["say ran [one]", "say ran [two]",
                                                      "say ran [three]", "1 call>"])
    assert t.saved() == ["say one", "say two", "say three"], t.saved()


def a_paste_without_end_does_not_stop_the_phone(t):
    t.sees("1 call>")
    t.key("Escape")
    t.type("[200~say stuck")
    t.signal(signal.SIGUSR1)  # this may interrupt the wait for more
    t.sees("notice 1 of a call", "1 call> say stuck")
    t.key("Enter")
    wait_for("the command", lambda: "say ran [stuck]" in t.screen())


def a_key_that_somebody_else_takes_does_not_stop_the_phone(t):
    t.type("steal")
    t.key("Enter")
    t.sees("1 call> steal", "1 call>")
    t.type("x")
    t.signal(signal.SIGUSR1)
    t.sees("1 call> steal", "notice 1 of a call", "1 call>")
    t.type("say y")
    t.key("Enter")
    t.sees("1 call> steal", "notice 1 of a call", "1 call> say y", "say ran [y]", "1 call>")


def accents_are_characters(t):
    t.type("say J\u00fcrgen \u20ac")
    t.key("Left", "BSpace", "BSpace")
    t.sees("1 call> say J\u00fcrge\u20ac")
    t.signal(signal.SIGUSR1)
    t.sees("notice 1 of a call", "1 call> say J\u00fcrge\u20ac")
    t.key("Enter")
    wait_for("the command", lambda: "say ran [J\u00fcrge\u20ac]" in t.screen())


def control_characters_from_outside_are_refused(t):
    t.type("say ")
    t.key("C-v", "C-a")
    t.sees("1 call> say ^A")
    t.key("Enter")
    wait_for("the refusal", lambda: "the line contains a control character" in t.screen())


def a_terminal_left_without_echo_by_a_kill_is_usable_again(program, folder):
    t = Terminal(program, folder, before="stty -echo -icanon;")
    try:
        t.sees("1 call>")
        t.type("say x")
        t.key("Enter")
        t.sees("1 call> say x", "say ran [x]", "1 call>")
        t.key("C-d")
        wait_for("sane settings", lambda: t.screen()[-1] in ("ixon icanon echo", "icanon ixon echo"))
    finally:
        t.close()


def after_ctrl_z_and_fg_the_line_is_still_there(program, folder):
    t = Terminal(program, folder, arguments=["bash", "--norc", "-i"], before="PS1='$ '; export PS1;")
    try:
        t.sees("$")
        t.type(f"{program} h")
        t.key("Enter")
        wait_for("the prompt", lambda: t.screen()[-1] == "1 call>")
        t.type("say kept")
        wait_for("the line", lambda: t.screen()[-1] == "1 call> say kept")
        t.key("C-z")
        wait_for("the shell", lambda: t.screen()[-1] == "$")
        t.type("fg")
        t.key("Enter")
        wait_for("the line again", lambda: t.screen()[-1] == "1 call> say kept")
        t.key("Enter")
        wait_for("the command", lambda: "say ran [kept]" in t.screen())
        t.type("say more")
        wait_for("the next line", lambda: t.screen()[-1] == "1 call> say more")
    finally:
        t.close()


def lines_from_a_pipe_are_read_plainly(program, folder):
    done = subprocess.run([program, os.path.join(folder, "history")], timeout=DEADLINE_S,
                          input="say one\n# nothing\nsayy\nsay 'two words'", capture_output=True,
                          text=True)
    assert done.stdout == ("say ran [one]\nunknown command 'sayy'; did you mean 'say'?\n"
                           "say ran [two words]\nended by end\n"), done.stdout
    assert done.returncode == 0
    assert not os.path.exists(os.path.join(folder, "history"))


def a_hang_up_ends_once_and_does_not_spin(program, folder):
    pid, master = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the phone outlives its terminal
        os.execv(program, [program, os.path.join(folder, "history")])
    seen = b""
    end = time.monotonic() + DEADLINE_S
    while b"1 call>" not in seen and time.monotonic() < end:
        if select.select([master], [], [], 0.1)[0]:
            seen += os.read(master, 4096)
    assert b"1 call>" in seen, seen
    os.close(master)
    status = wait_for("the end", lambda: os.waitpid(pid, os.WNOHANG)[0] and [0])
    assert status


def a_long_text_is_shown_a_window_at_a_time(t):
    more = "-- more: Enter, or q --"
    t.type("long")
    t.key("Enter")
    t.sees(*[f"line {n}" for n in range(1, 20)], more)
    t.signal(signal.SIGUSR1)  # a notice goes above, as at any prompt
    t.sees(*[f"line {n}" for n in range(2, 20)], "notice 1 of a call", more)
    t.key("Enter")
    t.sees(*[f"line {n}" for n in range(20, 39)], more)
    t.key("Enter")
    wait_for("the end", lambda: t.screen()[-2:] == ["line 50", "1 call>"])
    t.type("long")
    t.key("Enter")
    wait_for("the first page", lambda: t.screen()[-1] == more)
    t.type("say hello")
    t.key("Enter")
    wait_for("the command", lambda: t.screen()[-2:] == ["say ran [hello]", "1 call>"])
    t.type("long")
    t.key("Enter")
    wait_for("the first page again", lambda: t.screen()[-1] == more)
    t.type("q")
    t.key("Enter")
    wait_for("the prompt", lambda: t.screen()[-2:] == [more + " q", "1 call>"])


def colour_is_on_the_prompt_and_does_not_count_as_width(t):
    t.sees("1 call>")
    raw = t.tmux("capture-pane", "-p", "-e").rstrip("\n")
    assert re.search("\033\\[[0-9;]*36m1 call>", raw), repr(raw)
    t.cursor_at(8, 0)


ALONE = (a_terminal_left_without_echo_by_a_kill_is_usable_again,
         after_ctrl_z_and_fg_the_line_is_still_there, lines_from_a_pipe_are_read_plainly,
         a_hang_up_ends_once_and_does_not_spin)
ON_TERMINAL = (a_notice_leaves_the_typed_line_whole_and_in_place,
               a_notice_leaves_a_line_of_several_rows_whole,
               a_notice_leaves_a_search_in_the_history_whole,
               a_new_prompt_text_leaves_the_typed_line, a_narrower_terminal_redraws_the_line,
               tab_completes_commands_ids_uris_files_conditions_and_words,
               tab_offers_no_file_where_a_command_belongs,
               ctrl_c_clears_the_line_and_the_program_lives, ctrl_c_leaves_a_search,
               ctrl_d_ends_only_on_an_empty_line_and_restores_the_terminal,
               quit_ends_from_within_a_line, ctrl_s_does_not_stop_the_phone,
               the_history_holds_no_secrets_and_survives_a_kill,
               a_paste_of_several_lines_runs_each, a_paste_without_end_does_not_stop_the_phone,
               a_key_that_somebody_else_takes_does_not_stop_the_phone,
               accents_are_characters, control_characters_from_outside_are_refused,
               a_long_text_is_shown_a_window_at_a_time,
               colour_is_on_the_prompt_and_does_not_count_as_width)


def run(test, program):
    with tempfile.TemporaryDirectory(prefix="prompt", ignore_cleanup_errors=True) as folder:
        for name in ("two words.wav", "it's #1.wav"):
            open(os.path.join(folder, name), "w").close()
        os.mkdir(os.path.join(folder, "directory"))
        open(os.path.join(folder, "directory", "a.wav"), "w").close()
        if test in ALONE:
            test(program, folder)
            return
        terminal = Terminal(program, folder)
        try:
            # What is typed before the terminal is set up is echoed twice, as with any program.
            terminal.sees("1 call>")
            test(terminal)
        finally:
            terminal.close()


def main():
    program = os.path.abspath(sys.argv[1])
    failures = 0
    for test in ON_TERMINAL + ALONE:
        if len(sys.argv) > 2 and test.__name__ not in sys.argv[2:]:
            continue
        try:
            run(test, program)
            print("ok  ", test.__name__.replace("_", " "))
        except (AssertionError, subprocess.SubprocessError) as error:
            failures += 1
            print("FAIL", test.__name__.replace("_", " "), "\n ", error)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
