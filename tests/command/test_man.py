# SPDX-License-Identifier: MIT
"""The manual says what the programs do: mdoc that mandoc finds no fault with, every verb, URL and code."""
import glob
import os
import re
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GUARDBEE = os.path.join(ROOT, os.environ.get("BUILD", "build"), "bin", "guardbee")
PAGES = sorted(glob.glob(os.path.join(ROOT, "etc/man", "*.[157]")))


def plain(page):
	"""The page as a reader sees it, its lines joined."""
	done = subprocess.run(["mandoc", "-Tutf8", "-O", "width=400", page], capture_output=True, text=True, check=True, timeout=30)
	return re.sub(".\b", "", done.stdout)


def lint(page):
	return subprocess.run(["mandoc", "-Tlint", "-W", "warning", page], capture_output=True, text=True, timeout=30)


class Manual(unittest.TestCase):
	maxDiff = None

	def page(self, name):
		return os.path.join(ROOT, "etc/man", name)

	def test_mandoc_has_no_warning(self):
		self.assertEqual(len(PAGES), 3)
		for page in PAGES:
			self.assertEqual((lint(page).returncode, lint(page).stdout), (0, ""))
		self.assertNotEqual(subprocess.run(["mandoc", "-Tlint", "-W", "warning"], input=".Sh NAME\n", capture_output=True,
		    text=True, timeout=30).returncode, 0, "it can complain")

	def test_every_verb_stands_in_the_page_and_no_other(self):
		usage = subprocess.run([GUARDBEE, "--help"], capture_output=True, text=True, check=True, timeout=30).stdout
		program = {" ".join(words) for words in re.findall(r"^  guardbee ([a-z]+)(?: ([a-z]+))?(?= |$)", usage, re.M)}
		with open(self.page("guardbee.1")) as page:
			ours = {" ".join(words) for words in re.findall(r"^\.It Cm ([a-z]+)(?: ([a-z]+))?(?= |$)", page.read(), re.M)}
		self.assertGreater(len(program), 20)
		self.assertEqual({verb.strip() for verb in ours}, {verb.strip() for verb in program})

	def test_every_option_stands_in_the_page(self):
		usage = subprocess.run([GUARDBEE, "--help"], capture_output=True, text=True, check=True, timeout=30).stdout
		options = set(re.findall(r"^  --([a-z-]+)", usage, re.M))
		with open(self.page("guardbee.1")) as page:
			self.assertEqual(set(re.findall(r"^\.It Fl \\-([a-z-]+)", page.read(), re.M)), options)
		self.assertGreaterEqual(len(options), 5)

	def test_every_program_stands_in_the_page(self):
		text = plain(self.page("guardbee-endpoints.7"))
		for source in sorted(glob.glob(os.path.join(ROOT, "cgi-bin", "*.c"))):
			name = os.path.basename(source)[:-2]
			url = {"page": "page.fcgi", "jwks": "/auth/jwks.json"}.get(name, "/auth/" + name)
			self.assertIn(url, text)

	def test_every_code_stands_in_the_page(self):
		with open(os.path.join(ROOT, "lib", "error.c")) as source:
			rows = set(re.findall(r'[{ ](\d{3}), "([a-z_]+)"', source.read()))
		text = plain(self.page("guardbee-endpoints.7"))
		self.assertGreater(len(rows), 20)
		for status, code in rows:
			self.assertRegex(text, rf"\b{code}\b")
			self.assertIn(status, text)


if __name__ == "__main__":
	unittest.main()
