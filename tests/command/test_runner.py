# SPDX-License-Identifier: MIT
"""tests/run itself: what it counts, and what it must not overlook. Each fault is planted beside its control."""
import os
import shutil
import subprocess
import tempfile
import unittest

RUN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "run")
SUMMARY = "[====] Synthesis: Tested: {0} | Passing: {1} | Failing: {2} | Crashing: {3}"

# As Criterion does: the test runs in a child, and the child's end says nothing.
CHILD = """
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void *volatile kept;
static int one = 1;
static int child(void) { %s }
int main(void)
{
	if (fork() == 0)
		exit(child());
	wait(NULL);
	puts("[====] Synthesis: Tested: 1 | Passing: 1 | Failing: 0 | Crashing: 0");
	return 0;
}
"""
CLEAN = "kept = malloc(10); free(kept); return 0;"
# a stale copy of the last address may lie on the stack, where it counts as held: so more than one
LEAK = "for (int i = 0; i < 100; i++) kept = malloc(10); kept = NULL; return 0;"
UNDEFINED = "return (one << 31) * 2 == 0 ? 0 : 0;"
UNDEFINED_CONTROL = "return (one << 30) * 1 == 0 ? 0 : 0;"


class Runner(unittest.TestCase):
	def setUp(self):
		self.folder = tempfile.mkdtemp(prefix="guardbee")
		self.addCleanup(shutil.rmtree, self.folder)
		self.build, self.tests = os.path.join(self.folder, "build"), os.path.join(self.folder, "tests")
		os.makedirs(os.path.join(self.build, "tests"))
		os.makedirs(os.path.join(self.tests, "python"))

	def script(self, text, name="test_planted"):
		path = os.path.join(self.build, "tests", name)
		with open(path, "w") as out:
			out.write("#!/bin/sh\n" + text + "\n")
		os.chmod(path, 0o755)

	def summary(self, tested=1, passing=1, failing=0, crashing=0, then="", name="test_planted"):
		self.script(f"echo '{SUMMARY.format(tested, passing, failing, crashing)}'\n{then}", name)

	def python(self, text):
		with open(os.path.join(self.tests, "python", "test_planted.py"), "w") as out:
			out.write("import unittest\nclass T(unittest.TestCase):\n" + text)

	def compile(self, body, *flags):
		source = os.path.join(self.folder, "planted.c")
		with open(source, "w") as out:
			out.write(CHILD % body)
		subprocess.run([os.environ.get("CC", "cc"), "-g", *flags, "-o", os.path.join(self.build, "tests", "test_planted"), source],
		    check=True)

	def expect(self, last_line, code, said="", arguments=()):
		done = subprocess.run([RUN, self.build, "--tests", self.tests, *arguments], capture_output=True, text=True, timeout=60)
		self.assertEqual(done.stdout.splitlines()[-1], last_line, done.stdout + done.stderr)
		self.assertEqual(done.returncode, code)
		self.assertIn(said, done.stdout)
		return done.stdout

	def test_sums_suites(self):
		self.summary(3, 3)
		self.summary(2, 2, name="test_other")
		self.python("\tdef test_a(self): pass\n\tdef test_b(self): pass\n")
		self.expect("7 passed, 0 failed", 0)

	def test_counts_failures_and_crashes(self):
		self.summary(6, 3, 2, 1)
		self.expect("3 passed, 3 failed", 1, "FAIL test_planted")

	def test_counts_python_failures_errors_and_skips(self):
		self.python("\tdef test_a(self): pass\n\tdef test_b(self): self.fail()\n\tdef test_c(self): raise OSError\n"
		    "\t@unittest.skip('x')\n\tdef test_d(self): pass\n")
		self.expect("1 passed, 2 failed", 1)

	def test_fails_where_no_test_ran(self):
		self.summary(0, 0)
		self.expect("0 passed, 1 failed", 1, "ran no test")
		self.script("true")
		self.expect("0 passed, 1 failed", 1, "ran no test")
		self.summary(1, 1)
		self.expect("1 passed, 0 failed", 0)

	def test_lets_a_special_build_skip_a_suite(self):
		self.python("\t@unittest.skip('not here')\n\tdef test_a(self): pass\n")
		if os.geteuid() == 0:
			self.expect("0 passed, 1 failed", 1, "ran no test")
		self.build = os.path.join(self.build, "sanitize-address")
		os.makedirs(self.build)
		self.expect("0 passed, 0 failed", 0, "skip python/test_planted.py")

	def test_fails_where_there_is_no_suite(self):
		self.expect("0 passed, 1 failed", 1, "there is no suite")

	def test_fails_on_an_exit_code(self):
		self.summary(then="exit 3")
		self.expect("1 passed, 1 failed", 1, "ended with 3")
		self.summary(then="exit 0")
		self.expect("1 passed, 0 failed", 0)

	def test_ends_a_suite_that_is_not_done_in_time(self):
		self.summary(then="sleep 30")
		self.expect("1 passed, 1 failed", 1, "not done in time", ["--seconds", "1"])
		self.summary(then="sleep 0.1")
		self.expect("1 passed, 0 failed", 0, arguments=["--seconds", "5"])

	def test_ends_and_reports_a_process_that_was_left(self):
		self.summary(then="setsid sleep 31.25 >/dev/null 2>&1 &")
		text = self.expect("1 passed, 1 failed", 1, "a process is left")
		pid = text.split("a process is left\n")[1].split()[0]
		self.assertFalse(os.path.exists(f"/proc/{pid}"))
		self.summary(then="setsid sleep 0.5 >/dev/null 2>&1 &")
		self.expect("1 passed, 0 failed", 0)

	def test_finds_a_leak_that_the_suite_overlooks(self):
		self.compile(LEAK, "-fsanitize=address")
		self.expect("1 passed, 1 failed", 1, "LeakSanitizer")
		self.compile(CLEAN, "-fsanitize=address")
		self.expect("1 passed, 0 failed", 0)

	def test_finds_undefined_behaviour_that_the_suite_overlooks(self):
		self.compile(UNDEFINED, "-fsanitize=undefined")
		self.expect("1 passed, 1 failed", 1, "runtime error: ")
		self.compile(UNDEFINED_CONTROL, "-fsanitize=undefined")
		self.expect("1 passed, 0 failed", 0)

	def test_finds_a_report_in_a_file(self):
		self.summary(then='echo found >"$BUILD/sanitizer/report.7"')
		self.expect("1 passed, 1 failed", 1, "a sanitizer reports, at the time of test_planted\nfound")
		self.summary()
		self.expect("1 passed, 0 failed", 0)

	def test_runs_only_what_is_named(self):
		self.summary(1, 0, 1)
		self.summary(1, 1, name="test_other")
		self.expect("1 passed, 0 failed", 0, arguments=["other"])
		self.expect("1 passed, 0 failed", 0, arguments=["--without", "planted"])
		self.expect("1 passed, 1 failed", 1)

	def test_a_class_that_skips_itself_hides_no_other(self):
		self.python("\tdef test_a(self): pass\nclass S(unittest.TestCase):\n\t@classmethod\n\tdef setUpClass(cls): raise unittest.SkipTest('x')\n\tdef test_b(self): pass\n")
		self.expect("1 passed, 0 failed", 0)

	@unittest.skipUnless(os.geteuid() == 0, "only root can be where others cannot go")
	def test_stands_where_other_users_reach_it(self):
		clone = os.path.join(self.folder, "clone")	# mkdtemp's folder is shut to them
		self.build, self.tests = os.path.join(clone, "build"), os.path.join(clone, "tests")
		os.makedirs(os.path.join(self.build, "tests"))
		os.mkdir(self.tests)
		shutil.copy(RUN, self.tests)
		self.script(f'setpriv --reuid=65534 --regid=65534 --clear-groups cat "$0" >/dev/null && echo "{SUMMARY.format(1, 1, 0, 0)}"')
		for environment, last_line in (({}, "1 passed, 0 failed"), ({"TESTS_MOVED": "1"}, "0 passed, 1 failed")):
			done = subprocess.run(["tests/run", "build"], cwd=clone, capture_output=True, text=True, timeout=60,
			    env={"PATH": os.environ["PATH"], **environment})
			self.assertEqual(done.stdout.splitlines()[-1], last_line, done.stdout + done.stderr)


if __name__ == "__main__":
	unittest.main()
