#!/usr/bin/env python3
"""The limits of the house that no compiler knows: sizes.py [FILE...]

A file has 400 lines at most, tests too. In src and include a function has 60, a class 25 members of data, and nothing is
written twice over more than ten lines. A struct that is all public is a record, and has as many members as there is to
know. Sources are read as clang-format leaves them. Without a FILE all of the repository are read.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILE_MAX, FUNCTION_MAX, MEMBER_MAX, TWIN_MAX = 400, 60, 25, 10
# What is longer: "FILE", "FILE FUNCTION" or "FILE CLASS". One that is not needed any more is an error.
EXCEPTIONS = set()


def without_comments(text):
    """The same lines, with blanks for comments and for what is in quotes."""
    def blank(match):
        found = match.group(0)
        if found[0] == "/":
            return re.sub(r"[^\n]", " ", found)
        return '"' + re.sub(r"[^\n]", "_", found[1:-1]) + '"'

    return re.sub(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'', blank, text,
                  flags=re.S)


class Scope:
    """What is between two braces: a namespace, a class, a function, or anything else."""

    def __init__(self, kind, name, line, head):
        self.kind, self.name, self.line, self.head = kind, name, line, head
        self.is_record = "class" not in head  # so far
        self.members = 0  # of data

    def count(self, statement):
        """One more member, if it is one of data."""
        statement = re.sub(r"\[\[.*?\]\]", "", statement)
        while "<" in statement and re.search(r"<[^<>]*>", statement):
            statement = re.sub(r"<[^<>]*>", "", statement)
        if re.match(r"\s*(using|friend|static|static_assert|enum|struct|class|union|template)\b", statement):
            return
        if "(" not in re.split(r"[={]", statement)[0] and "operator" not in statement:
            self.members += 1


def kind_of(head, scope):
    """What a brace opens behind `head`, and its name."""
    if scope.kind in ("function", "other"):
        return "other", ""
    named = re.search(r"\b(namespace|class|struct|union|enum)\b(?:\s+(?:class|struct))?\s*(?:\[\[.*?\]\]\s*)?([\w:]*)", head)
    if 'extern "' in head and "(" not in head or named and named.group(1) == "namespace":
        return "namespace", ""
    if named and "(" not in re.sub(r"\[\[.*?\]\]|alignas\([^)]*\)", "", head):
        return ("other" if named.group(1) == "enum" else "class"), named.group(2)
    if "(" in head and not re.search(r"=\s*$|\breturn\b", head):
        found = re.search(r"([~\w:]*(?:operator\s*\S+?)?)\s*\(", head)
        return "function", found.group(1)
    return "other", ""


def scopes(text):
    """Every class and function of a source: (kind, name, first line, last line, members)."""
    stack = [Scope("namespace", "", 1, "")]
    head, head_line, line, found = "", 1, 1, []
    for at, char in enumerate(text):
        scope = stack[-1]
        if char == "{":
            kind, name = kind_of(head, scope)
            stack.append(Scope(kind, name, head_line, head))
            head, head_line = "", line
        elif char == "}" and len(stack) > 1:
            closed = stack.pop()
            behind = text[at + 1:at + 200].lstrip()
            if closed.kind == "function" and behind[:1] in (",", "{", ";", ")", "."):
                closed.kind = "other"  # a value in braces, of a constructor's list or of an argument
            if closed.kind == "other":
                head, head_line = closed.head + "{}", closed.line
            else:
                if closed.kind != "namespace":
                    found.append((closed.kind, closed.name, closed.line, line, 0 if closed.is_record else closed.members))
                head, head_line = "", line
        elif char == ";" or char == ":" and head.strip() in ("public", "private", "protected"):
            if scope.kind == "class":
                if char == ":":
                    scope.is_record = scope.is_record and head.strip() == "public"
                elif head.strip():
                    scope.count(head)
            head, head_line = "", line
        elif char == "#" and not head.strip():
            head = "#"
        elif char == "\n" and head.startswith("#") and text[at - 1] != "\\":
            head = ""
        else:
            if not head.strip():
                head_line = line
            head += char
        line += char == "\n"
    return found


def check_source(path, text):
    for kind, name, first, last, members in scopes(without_comments(text)):
        lines = last - first + 1
        if kind == "function" and lines > FUNCTION_MAX:
            yield f"{path} {name}", f"{path}:{first}: {name} has {lines} lines, {FUNCTION_MAX} are the most"
        if members > MEMBER_MAX:
            yield f"{path} {name}", f"{path}:{first}: {name} has {members} members of data, {MEMBER_MAX} are the most"


def twins(sources):
    """Runs of more than TWIN_MAX lines that are in two places."""
    lines = []
    for path, text in sources:
        for number, line in enumerate(without_comments(text).split("\n"), 1):
            line = line.strip()
            if line and not re.match(r"#include|using |namespace |#pragma", line):
                lines.append((line, path, number))
        lines.append((object(), path, 0))
    length = TWIN_MAX + 1
    seen = {}
    told_until = -1
    for at in range(len(lines) - length + 1):
        key = tuple(line for line, _, _ in lines[at:at + length])
        if any(not isinstance(line, str) for line in key):
            continue
        first = seen.setdefault(key, at)
        if first != at and at > told_until:
            last = at
            while lines[last][0] == lines[first + last - at][0]:
                last += 1
            told_until = last - 1
            yield (f"{lines[at][1]}", f"{lines[at][1]}:{lines[at][2]}: {last - at} lines as at {lines[first][1]}:{lines[first][2]}, "
                   f"{TWIN_MAX} are the most")


def files():
    named = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "src", "include", "tests", "examples"],
                           cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    for path in named:
        whole = os.path.join(ROOT, path)
        if not os.path.isfile(whole) or "/data/" in path or "/corpus/" in path:
            continue
        if path.endswith((".cpp", ".hpp", ".py", ".sh", ".c")):
            yield path
        elif "." not in os.path.basename(path) and os.access(whole, os.X_OK):
            yield path


def main():
    complaints, sources = [], []
    for path in sys.argv[1:] or files():
        with open(os.path.join(ROOT, path)) as file:
            text = file.read()
        count = text.count("\n")
        if count > FILE_MAX:
            complaints.append((path, f"{path}: {count} lines, {FILE_MAX} are the most"))
        if path.startswith(("src/", "include/")) and path.endswith((".cpp", ".hpp")):
            complaints += check_source(path, text)
            sources.append((path, text))
    complaints += twins(sources)
    bad = [complaint for key, complaint in complaints if key not in EXCEPTIONS]
    if len(sys.argv) == 1:
        bad += [f"'{key}' needs no exception any more: remove it from tests/lint/sizes.py"
                for key in sorted(EXCEPTIONS - {key for key, _ in complaints})]
    for complaint in bad:
        print("sizes:", complaint, file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
