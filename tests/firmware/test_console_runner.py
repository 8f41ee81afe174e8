import os
import sys
import unittest

from gatelodge import compat
from gatelodge.console.runner import Runner


class Running(unittest.TestCase):
    def setUp(self):
        self.kept = []
        self.path = list(sys.path)
        if hasattr(sys, "dont_write_bytecode"):
            sys.dont_write_bytecode = True  # CPython would keep a module beside its source
        self.runner = Runner({"keep": self.kept.append})

    def tearDown(self):
        sys.path.clear()
        sys.path.extend(self.path)

    def run_code(self, source, kind="exec"):
        outcome = self.runner.run(source, kind)
        self.runner.prove_sound()
        return outcome

    def test_code_sees_the_names_it_was_given(self):
        outcome = self.run_code(b"keep(1 + 1)")
        self.assertEqual(self.kept, [2])
        self.assertEqual((outcome.error, outcome.reset, outcome.must_restart), ("", False, False))

    def test_a_function_sees_its_own_module(self):
        self.run_code(b"def f():\n    return later\nlater = 7\nkeep(f())")
        self.assertEqual(self.kept, [7])

    def test_names_last_until_the_reset(self):
        self.run_code(b"x = 3")
        self.run_code(b"keep(x)")
        self.runner.reset()
        self.assertIn("NameError", self.run_code(b"keep(x)").error)
        self.assertEqual(self.kept, [3])

    def test_a_module_is_found_in_the_current_folder_and_forgotten_by_the_reset(self):
        folder = "/tmp/gatelodge-runner-" + compat.entropy(8).hex()
        os.mkdir(folder)
        try:
            for word in ("old", "new"):
                with open(folder + "/runner_part.py", "w") as file:
                    file.write("word = " + repr(word))
                self.run_code(b"import os; os.chdir(%r)" % folder.encode())
                self.assertEqual(self.run_code(b"import runner_part; keep(runner_part.word)").error, "")
                self.runner.reset()
        finally:
            os.remove(folder + "/runner_part.py")
            os.rmdir(folder)
        self.assertEqual(self.kept, ["old", "new"])

    def test_the_reset_looks_where_the_router_looks(self):
        before = list(sys.path)
        folder = os.getcwd()
        self.run_code(b"import os, sys; sys.path.insert(0, '/tmp'); os.chdir('/')")
        self.runner.reset()
        self.assertEqual((list(sys.path), os.getcwd()), (before, folder))

    def test_an_exception_is_a_traceback(self):
        outcome = self.run_code(b"1 // 0")
        self.assertIn("Traceback", outcome.error)
        self.assertIn("ZeroDivisionError", outcome.error)

    def test_wrong_syntax_is_a_traceback(self):
        self.assertIn("SyntaxError", self.run_code(b"x = = 1").error)

    def test_an_error_whose_text_a_line_has_damaged_is_a_traceback_too(self):
        self.assertIn("Error", self.run_code(b"raise ValueError('\xff\xfe')").error)

    def test_an_exit_is_a_reset(self):
        self.assertTrue(self.run_code(b"raise SystemExit").reset)

    def test_an_interrupt_is_a_traceback(self):
        outcome = self.run_code(b"raise KeyboardInterrupt")
        self.assertIn("KeyboardInterrupt", outcome.error)
        self.assertFalse(outcome.reset)

    def test_text_that_is_not_utf_8_does_no_harm(self):
        self.run_code(b"x = '\xff\xfe'")
        self.run_code(b"keep(1)")
        self.assertEqual(self.kept, [1])


if __name__ == "__main__":
    unittest.main()
