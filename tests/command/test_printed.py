# SPDX-License-Identifier: MIT
"""What stands in the repository and is printed from the table of settings is what the table prints now."""
import os
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GUARDBEE = os.path.join(ROOT, os.environ.get("BUILD", "build"), "bin", "guardbee")
BEGIN, END = "<!-- settings: guardbee config table -->\n", "<!-- /settings -->\n"


def read(*path):
	with open(os.path.join(ROOT, *path)) as file:
		return file.read()


def printed(what):
	return subprocess.run([GUARDBEE, "config", what], capture_output=True, text=True, check=True, timeout=30).stdout


class Printed(unittest.TestCase):
	maxDiff = None

	def test_table_of_the_readme(self):
		text = read("README.md")
		self.assertEqual((text.count(BEGIN), text.count(END)), (1, 1))
		self.assertEqual(text.split(BEGIN)[1].split(END)[0], printed("table"))

	def test_list_of_the_manual(self):
		begin, end = '.\\" printed by guardbee config man\n', '.\\" end of what is printed\n'
		text = read("etc/man", "guardbee-settings.5")
		self.assertEqual((text.count(begin), text.count(end)), (1, 1))
		self.assertEqual(text.split(begin)[1].split(end)[0], printed("man"))

	def test_example_environment(self):
		self.assertEqual(read("etc", "guardbee.env.example"), printed("example"))

	def test_example_environment_is_taken_by_the_command_and_by_a_shell(self):
		path = os.path.join(ROOT, "etc", "guardbee.env.example")
		# Every default, not only the lines that a reader has chosen.
		text = "".join(line[1:] if line.startswith("#") and line[1:2].isupper() and "=" in line else "" for line in open(path))
		script = f"set -ea; {text}\n"
		subprocess.run(["sh", "-c", "cd /; " + script], check=True, timeout=30, env={})
		self.assertGreater(len(text.splitlines()), 40)


if __name__ == "__main__":
	unittest.main()
