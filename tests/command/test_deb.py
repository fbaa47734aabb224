# SPDX-License-Identifier: MIT
"""The Debian package: installed, upgraded, removed and purged in a folder of its own, which is left as it was."""
import gzip
import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
TOOLS = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin", "DEBIAN_FRONTEND": "noninteractive"}
CONFFILES = {"/etc/logrotate.d/guardbee", "/etc/fail2ban/filter.d/guardbee.conf"}

MAINTAINER = "A. Bee <bee@example.net>"


def run(*words, **more):
	done = subprocess.run(words, capture_output=True, text=True, timeout=120, env=TOOLS, **more)
	if done.returncode != 0:
		raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
	return done.stdout


@unittest.skipIf("sanitize" in BUILD or "coverage" in BUILD, "nobody packs such a build")
class Package(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.folder = tempfile.mkdtemp(prefix="gb")
		cls.addClassCleanup(shutil.rmtree, cls.folder)
		tree = os.path.join(cls.folder, "tree")
		run("make", "-s", "install", f"DESTDIR={tree}", "PREFIX=/usr", "BUILD=" + os.path.relpath(BUILD, ROOT), cwd=ROOT)
		run(os.path.join(ROOT, "etc", "deb", "build"), tree, "0.1", cls.folder, MAINTAINER)
		with open(tree + "/DEBIAN/control") as control:
			text = control.read().replace("Version: 0.1", "Version: 0.2")
		with open(tree + "/DEBIAN/control", "w") as control:
			control.write(text)
		with open(tree + "/etc/logrotate.d/guardbee", "a") as changed:
			changed.write("# newer\n")
		run("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, cls.folder + "/guardbee_0.2_any.deb")

	def setUp(self):
		self.root = tempfile.mkdtemp(prefix="gb", dir=self.folder)
		for folder in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "var/log"):
			os.makedirs(os.path.join(self.root, folder))
		open(self.root + "/var/lib/dpkg/status", "w").close()
		self.before = self.files()

	def files(self):
		"""Everything below the root but dpkg's own."""
		found = set()
		for folder, folders, names in os.walk(self.root):
			below = folder[len(self.root):]
			found.update(f"{below}/{name}" for name in (*folders, *names) if not f"{below}/{name}".startswith("/var/lib/dpkg"))
		return found

	def dpkg(self, *words):
		return run("dpkg", f"--root={self.root}", "--force-script-chrootless", "--force-depends", "--force-confold", "--log=/dev/null", *words)

	def package(self, version):
		return next(os.path.join(self.folder, name) for name in os.listdir(self.folder) if name.startswith(f"guardbee_{version}_"))

	def status(self):
		return run("dpkg-query", f"--admindir={self.root}/var/lib/dpkg", "-W", "-f", "${Version} ${db:Status-Status}", "guardbee")

	def test_from_install_to_purge_nothing_is_left(self):
		self.dpkg("-i", self.package("0.1"))
		self.assertEqual(self.status(), "0.1 installed")
		self.assertIn("guardbee user add EMAIL", run(self.root + "/usr/bin/guardbee", "--help"))
		self.assertEqual(os.stat(self.root + "/var/lib/guardbee").st_mode & 0o7777, 0o700)
		listed = run("dpkg", f"--root={self.root}", "-L", "guardbee").split()
		self.assertLessEqual(self.files() - {"/var/lib/guardbee", "/var/log/guardbee"} - self.before, set(listed))
		with open(self.root + "/etc/logrotate.d/guardbee", "a") as mine:
			mine.write("# mine\n")
		self.dpkg("-i", self.package("0.2"))
		self.assertEqual(self.status(), "0.2 installed")
		with open(self.root + "/etc/logrotate.d/guardbee") as kept:
			self.assertTrue(kept.read().endswith("# mine\n"), "what an operator changed stays")
		self.dpkg("-r", "guardbee")
		left = {name for name in self.files() - self.before if os.path.isfile(self.root + name) and "dpkg-" not in name}
		self.assertEqual(left, CONFFILES)
		self.dpkg("-P", "guardbee")
		self.assertEqual(self.files(), self.before)

	def test_accounts_survive_a_purge(self):
		self.dpkg("-i", self.package("0.1"))
		with open(self.root + "/var/lib/guardbee/secret", "w") as kept:
			kept.write("x")
		self.assertIn("and stays", self.dpkg("-P", "guardbee"))
		self.assertEqual(self.files() - self.before, {"/var/lib/guardbee", "/var/lib/guardbee/secret"})

	def test_it_says_who_answers_for_it(self):
		self.assertEqual(run("dpkg-deb", "-f", self.package("0.1"), "Maintainer").strip(), MAINTAINER)
		changelog = subprocess.run(["dpkg-deb", "--fsys-tarfile", self.package("0.1")], capture_output=True, check=True).stdout
		changelog = subprocess.run(["tar", "-xO", "./usr/share/doc/guardbee/changelog.gz"], input=changelog, capture_output=True, check=True).stdout
		self.assertIn(f"\n -- {MAINTAINER}  ", gzip.decompress(changelog).decode())
		for name in ("", "A. Bee", "bee@example.net", "A. Bee <>"):
			self.assertRaisesRegex(AssertionError, "MAINTAINER: ", run, os.path.join(ROOT, "etc", "deb", "build"), self.folder, "0.1", self.folder, name)

	def test_it_is_the_administrators_unless_somebody_is_named(self):
		for named, maintainer in (({}, "local build <root@localhost>"), ({"DEBFULLNAME": "A. Bee", "DEBEMAIL": "bee@example.net"}, MAINTAINER),
		    ({"MAINTAINER": MAINTAINER}, MAINTAINER)):
			environment = {name: value for name, value in TOOLS.items() if name not in ("DEBFULLNAME", "DEBEMAIL", "MAINTAINER")}
			said = subprocess.run(["make", "-n", "deb"], cwd=ROOT, env={**environment, **named}, capture_output=True, text=True, timeout=120, check=True).stdout
			self.assertIn(f"'{maintainer}'", said.splitlines()[-1])

	def test_it_says_what_it_needs_and_what_is_whose(self):
		depends = run("dpkg-deb", "-f", self.package("0.1"), "Depends")
		self.assertIn("libc6 (>= ", depends)
		self.assertEqual(set(run("dpkg-deb", "-I", self.package("0.1"), "conffiles").split()), CONFFILES)
		for line in run("dpkg-deb", "-c", self.package("0.1")).splitlines():
			self.assertIn(" root/root ", line)
			self.assertNotIn("w", line[4:10].replace("-", ""), line)

	@unittest.skipUnless(shutil.which("lintian"), "a check of Debian's, where it is installed")
	def test_lintian_finds_no_error(self):
		done = subprocess.run(["lintian", "--fail-on", "error", self.package("0.1")], capture_output=True, text=True, timeout=120, env=TOOLS)
		self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
	unittest.main()
