#!/usr/bin/env python3
"""What the documents name exists: links, files, scenarios, targets of make; functions that the tour and the way back name;
and files that comments name.

A file may be named by the end of its path (`rtp/page.cpp`), a module's also without its ending (`app/runner`).
"""
import fnmatch
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TREES = r"(?:src|include|tests|examples|account|app|base|call|journal|keeper|media|shell|sip|standby)"
ENDINGS = r"(?:cpp|hpp|py|sh|md|revenant|service)"


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def tracked():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout.splitlines()
    return [path for path in listed if os.path.exists(os.path.join(ROOT, path))]


class Tree:
    def __init__(self, paths):
        self.paths = paths
        folders = {os.path.dirname(path) for path in paths}
        while any(folders):
            self.paths = self.paths + sorted(folders)
            folders = {os.path.dirname(folder) for folder in folders if folder}
        self.ends = set()
        for path in self.paths:
            parts = path.split("/")
            for at in range(len(parts)):
                end = "/".join(parts[at:])
                self.ends |= {end, os.path.splitext(end)[0]}
        self.targets = set(re.findall(r"^([\w-]+):(?!=)", read("Makefile"), re.M))
        self.targets |= {f"fuzz-{path[11:-9]}" for path in paths if re.fullmatch(r"tests/fuzz/\w+_fuzz\.cpp", path)}

    def has(self, name):
        name = name.strip("/").removeprefix("./")
        if "*" in name:
            return any(fnmatch.fnmatch(end, name) for end in self.ends)
        return name in self.ends

    def has_case(self, name):
        """A scenario and its variant, `hostile/streams`; the scenario exists."""
        scenario, variant = name.split("/")
        path = f"tests/integration/{scenario}/scenario.py"
        return path in self.paths and (variant == "*" or re.search(rf"[\"']{re.escape(variant)}[\"']", read(path)))


def slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def in_document(path, text, tree):
    folder = os.path.dirname(path)
    prose = re.sub(r"^```.*?^```", lambda block: "\n" * block.group(0).count("\n"), text, flags=re.S | re.M)
    for number, line in enumerate(prose.split("\n"), 1):
        for link in re.findall(r"\]\(([^)\s]+)\)", line):
            if "://" in link:
                continue
            target, _, anchor = link.partition("#")
            whole = os.path.normpath(os.path.join(folder, target)) if target else path
            if not os.path.exists(os.path.join(ROOT, whole)):
                yield number, f"the link {link} leads nowhere"
            elif anchor and anchor not in map(slug, re.findall(r"^#+ (.*)$", read(whole), re.M)):
                yield number, f"{whole} has no heading {anchor}"
        for name in re.findall(r"`([^`\s]+)`", line):
            if re.fullmatch(rf"[\w./*-]+\.{ENDINGS}|{TREES}/[\w./*-]+", name):
                if not tree.has(name) and not name.startswith(("build/", "/")):
                    yield number, f"there is no {name}"
            elif re.fullmatch(r"[a-z_]+/[a-z_*]+", name) and f"tests/integration/{name.split('/')[0]}" in tree.paths:
                if not tree.has_case(name):
                    yield number, f"there is no scenario {name}"
    for number, line in enumerate(text.split("\n"), 1):
        for target in re.findall(r"(?:`|^ {4}|^)make ([a-z][\w-]*)(?![\w/-])", line):
            if target not in tree.targets:
                yield number, f"there is no `make {target}`"


def in_source(text, tree):
    for number, line in enumerate(text.split("\n"), 1):
        comment = re.search(r"(?<![:\"])//(.*)", line)
        for name in re.findall(rf"(?<![\w./*-])[\w./-]*\w\.{ENDINGS}\b", comment.group(1) if comment else ""):
            if not tree.has(name):
                yield number, f"there is no {name}"


def functions_in_document(text, sources):
    """The functions and members that the tour names, also in its drawings."""
    for number, line in enumerate(text.split("\n"), 1):
        for name in re.findall(r"(?:`(?:\w+::)?|^    \|\s+)([a-z]+(?:_[a-z]+)+)(?:\(\))?(?:`| {3})", line):
            if not re.search(rf"\b{name}\b", sources):
                yield number, f"there is no {name}"


def in_program(text, tree):
    for number, line in enumerate(text.split("\n"), 1):
        for name in re.findall(r"(?<![\w./*-])[\w./-]*\w\.md\b", line):
            if not tree.has(name):
                yield number, f"there is no {name}"


def main():
    paths = tracked()
    tree = Tree(paths)
    code = [path for path in paths if path.startswith(("src/", "include/")) and path.endswith((".cpp", ".hpp"))]
    sources = "\n".join([*paths, *map(read, code)])
    bad = 0
    for path in paths:
        found = []
        if path.endswith(".md"):
            found = list(in_document(path, read(path), tree))
            if path in ("src/README.md", "src/COMEBACK.md"):
                found += functions_in_document(read(path), sources)
        elif path.endswith((".cpp", ".hpp")):
            found = in_source(read(path), tree)
        elif path.endswith(".py"):
            found = in_program(read(path), tree)
        for number, what in found:
            print(f"links: {path}:{number}: {what}", file=sys.stderr)
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
