"""Waiting for something to become true. Every wait in the tests ends with an event or a deadline."""

import time


class Failure(AssertionError):
    """What a scenario promises did not hold."""


def until(condition, deadline_s, what, step_s=0.01):
    """Returns the first true value of condition(); Failure(what) when there is none in time."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise Failure(f"not within {deadline_s:g} s: {what() if callable(what) else what}")
        time.sleep(step_s)


def check(condition, what):
    """An assertion that python -O does not remove."""
    if not condition:
        raise Failure(what)
