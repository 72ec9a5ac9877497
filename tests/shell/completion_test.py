"""What bash offers after `revenant`: the installed file, in a real bash. completion_test.py FILE"""

import subprocess
import sys
import unittest

SCRIPT = None


def offered(*words):
    """For the last of the words, which the cursor is behind; bash splits at '='."""
    program = f'source {SCRIPT}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() {{ :; }}; _revenant; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "--norc", "-uc", program, "bash", "revenant", *words], check=True, capture_output=True,
                          text=True, timeout=10, cwd="tests/shell")
    assert not done.stderr, done.stderr
    return done.stdout.split()


class Completion(unittest.TestCase):
    def test_options_are_offered_by_their_beginnings(self):
        self.assertEqual(offered("--resume-"), ["--resume-deadline"])
        self.assertEqual(sorted(offered("--no-b")), ["--no-bell"])
        self.assertIn("--outbound-proxy", offered("--"))
        self.assertNotIn("--die-after-send", offered("--"))

    def test_words_are_offered_where_there_are_no_others(self):
        for words in (("--resume", ""), ("--resume", "="), ("--resume", "=", "")):
            self.assertEqual(offered(*words), ["auto", "ask", "never"])
        self.assertEqual(offered("--resume", "=", "n"), ["never"])

    def test_files_and_folders_are_offered_where_they_are_wanted(self):
        self.assertEqual(offered("-f", "completion_t"), ["completion_test.py"])
        self.assertEqual(offered("--config", "=", "completion_t"), ["completion_test.py"])
        self.assertEqual(offered("--state", "completion_t"), [])
        self.assertEqual(offered("--state", "../sh"), ["../shell"])

    def test_nothing_is_offered_for_a_value_that_nobody_can_guess(self):
        self.assertEqual(offered("--aor", ""), [])
        self.assertEqual(offered("-c", "--"), [])

    def test_after_a_switch_comes_another_option(self):
        self.assertIn("--json", offered("--durable", "--"))


if __name__ == "__main__":
    SCRIPT = __import__("os").path.abspath(sys.argv.pop())
    unittest.main()
