"""As much of CPython's unittest as the tests that run on both interpreters use. For MicroPython.

A class derives from TestCase, or from IsolatedAsyncioTestCase when its tests are `async def`.
"""

import asyncio
import sys


class _Raises:
    def __init__(self, expected):
        self.expected = expected
        self.exception = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None:
            raise AssertionError(f"{self.expected} was not raised")
        self.exception = error
        return issubclass(kind, self.expected)


def _check(holds, message, text):
    if not holds:
        raise AssertionError(text if message is None else f"{message}: {text}")


class TestCase:
    def setUp(self):
        """For subclasses."""

    def tearDown(self):
        """For subclasses."""

    def run_test(self, name):
        self.setUp()
        try:
            getattr(self, name)()
        finally:
            self.tearDown()

    def fail(self, msg=None):
        raise AssertionError(msg or "failed")

    def assertEqual(self, a, b, msg=None):
        _check(a == b, msg, f"{a!r} != {b!r}")

    def assertNotEqual(self, a, b, msg=None):
        _check(a != b, msg, f"{a!r} == {b!r}")

    def assertTrue(self, value, msg=None):
        _check(value, msg, f"{value!r} is not true")

    def assertFalse(self, value, msg=None):
        _check(not value, msg, f"{value!r} is not false")

    def assertIs(self, a, b, msg=None):
        _check(a is b, msg, f"{a!r} is not {b!r}")

    def assertIsNot(self, a, b, msg=None):
        _check(a is not b, msg, f"{a!r} is {b!r}")

    def assertIsNone(self, value, msg=None):
        _check(value is None, msg, f"{value!r} is not None")

    def assertIsNotNone(self, value, msg=None):
        _check(value is not None, msg, "unexpectedly None")

    def assertIn(self, member, container, msg=None):
        _check(member in container, msg, f"{member!r} not in {container!r}")

    def assertNotIn(self, member, container, msg=None):
        _check(member not in container, msg, f"{member!r} in {container!r}")

    def assertIsInstance(self, value, kind, msg=None):
        _check(isinstance(value, kind), msg, f"{value!r} is not a {kind!r}")

    def assertGreater(self, a, b, msg=None):
        _check(a > b, msg, f"{a!r} is not greater than {b!r}")

    def assertGreaterEqual(self, a, b, msg=None):
        _check(a >= b, msg, f"{a!r} is less than {b!r}")

    def assertLess(self, a, b, msg=None):
        _check(a < b, msg, f"{a!r} is not less than {b!r}")

    def assertLessEqual(self, a, b, msg=None):
        _check(a <= b, msg, f"{a!r} is greater than {b!r}")

    def assertAlmostEqual(self, a, b, places=7, msg=None, delta=None):
        near = abs(a - b) <= delta if delta is not None else round(abs(a - b), places) == 0
        _check(near, msg, f"{a!r} is not nearly {b!r}")

    def assertRaises(self, expected, call=None, *args):
        if call is None:
            return _Raises(expected)
        with _Raises(expected):
            call(*args)
        return None


class IsolatedAsyncioTestCase(TestCase):
    async def asyncSetUp(self):
        """For subclasses."""

    async def asyncTearDown(self):
        """For subclasses."""

    async def _run(self, name):
        await self.asyncSetUp()
        try:
            await getattr(self, name)()
        finally:
            await self.asyncTearDown()

    def run_test(self, name):
        asyncio.new_event_loop()  # MicroPython has one loop for all: drop what a failed test left in it
        self.setUp()
        try:
            asyncio.run(self._run(name))
        finally:
            self.tearDown()


def _classes(module):
    for name in sorted(dir(module)):
        value = getattr(module, name)
        if isinstance(value, type) and issubclass(value, TestCase) and value.__module__ != __name__:
            yield value


def main():
    """Runs every test of the file that was started; exits with 1 if one failed."""
    ran = failed = 0
    for case in _classes(__import__("__main__")):
        for name in sorted(n for n in dir(case) if n.startswith("test")):
            ran += 1
            try:
                case().run_test(name)
            except Exception as error:
                failed += 1
                print(f"FAIL {case.__name__}.{name}")
                sys.print_exception(error)
    print(f"Ran {ran} tests, {failed} failed")
    sys.exit(1 if failed else 0)
