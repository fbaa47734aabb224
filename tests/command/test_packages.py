# SPDX-License-Identifier: MIT
"""etc/install-packages and the Makefile on a bare machine, with package tools that only note how they were called."""
import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "etc", "install-packages")
REAL = ("sh", "sed", "cat", "rm", "chmod", "make", "find", "uname", "nproc", "touch", "mkdir")


class Packages(unittest.TestCase):
	def setUp(self):
		self.folder = tempfile.mkdtemp(prefix="guardbee")
		self.addCleanup(shutil.rmtree, self.folder)
		self.bin = os.path.join(self.folder, "bin")
		self.calls = os.path.join(self.folder, "calls")
		self.policy = os.path.join(self.folder, "policy-rc.d")
		self.services = os.path.join(self.folder, "init.d")
		os.mkdir(self.bin)
		os.mkdir(self.services)
		for name in REAL:
			if path := shutil.which(name):
				os.symlink(path, os.path.join(self.bin, name))
		self.tool("dpkg-query", 'eval "package=\\${$#}"; case " $INSTALLED " in *" $package "*) printf installed ;; *) exit 1 ;; esac')
		self.tool("apt-get", f'echo "$DEBIAN_FRONTEND apt-get $*" >>"{self.calls}"; '
		    f'[ "$1" != install ] || cat "{self.policy}" >"{self.folder}/policy-seen" 2>/dev/null || :')
		self.user(0)
		self.list("alpha\n# a comment\nbeta  # another\n")

	def tool(self, name, text):
		path = os.path.join(self.bin, name)
		with open(path, "w") as out:
			out.write("#!/bin/sh\n" + text + "\n")
		os.chmod(path, 0o755)

	def user(self, uid):
		self.tool("id", f"echo {uid}")

	def list(self, text, name="packages"):
		with open(os.path.join(self.folder, name), "w") as out:
			out.write(text)

	def run_script(self, installed="", lists=("packages",), services=True):
		places = {"POLICY_RC_D": self.policy, **({"INIT_D": self.services} if services else {})}
		return subprocess.run([SCRIPT, *(os.path.join(self.folder, name) for name in lists)], capture_output=True, text=True,
		    timeout=30, env={"PATH": self.bin, "INSTALLED": installed, **places})

	def called(self):
		if not os.path.exists(self.calls):
			return []
		with open(self.calls) as calls:
			return calls.read().splitlines()

	def test_nothing_missing_no_call(self):
		done = self.run_script("alpha beta")
		self.assertEqual((done.returncode, done.stdout, done.stderr, self.called()), (0, "", "", []))

	def test_root_installs_what_is_missing_without_sudo(self):
		self.assertEqual(self.run_script("alpha").returncode, 0)
		self.assertEqual(self.called(), ["noninteractive apt-get update -q",
		    "noninteractive apt-get install -q -y --no-install-recommends beta"])

	def test_others_use_sudo(self):
		self.user(1000)
		self.tool("sudo", f'echo sudo >>"{self.calls}"; exec "$@"')
		self.assertEqual(self.run_script().returncode, 0)
		self.assertEqual(self.called()[0], "sudo")
		self.assertEqual(self.called()[-1], "noninteractive apt-get install -q -y --no-install-recommends alpha beta")

	def test_without_root_or_sudo_it_says_the_line_and_stops(self):
		self.user(1000)
		done = self.run_script("beta")
		self.assertNotEqual(done.returncode, 0)
		self.assertEqual(done.stderr, "missing packages; as root: apt-get install --no-install-recommends alpha\n")
		self.assertEqual(self.called(), [])

	def test_a_package_for_a_command_only_where_the_command_is_absent(self):
		self.list("tool?package-of-tool\n")
		self.assertEqual(self.run_script().returncode, 0)
		self.assertTrue(self.called()[-1].endswith(" package-of-tool"))
		os.unlink(self.calls)
		self.tool("tool", "exit 0")
		self.assertEqual(self.run_script().returncode, 0)
		self.assertEqual(self.called(), [])

	def test_no_service_is_started(self):
		self.assertEqual(self.run_script().returncode, 0)
		with open(os.path.join(self.folder, "policy-seen")) as seen:
			self.assertIn("exit 101", seen.read())
		self.assertFalse(os.path.exists(self.policy))

	def test_no_service_that_came_with_it_starts_at_the_next_boot(self):
		self.tool("update-rc.d", f'echo "update-rc.d $*" >>"{self.calls}"')
		self.tool("apt-get", f'[ "$1" != install ] || touch "{self.services}/new"')
		open(os.path.join(self.services, "theirs"), "w").close()
		self.assertEqual(self.run_script().returncode, 0)
		self.assertEqual(self.called(), ["update-rc.d new disable"])

	def test_without_a_folder_named_it_looks_where_debian_has_its_services(self):
		done = self.run_script(services=False)
		self.assertEqual((done.returncode, done.stderr), (0, ""))
		self.assertEqual(len(self.called()), 2)

	def test_a_service_that_stays_enabled_is_named(self):
		self.tool("update-rc.d", "exit 1")
		self.tool("apt-get", f'[ "$1" != install ] || touch "{self.services}/new"')
		done = self.run_script()
		self.assertEqual((done.returncode, done.stderr), (0, f"{self.services}/new is enabled\n"))

	def test_the_policy_goes_also_when_the_install_fails(self):
		self.tool("apt-get", f'cp "{self.policy}" "{self.folder}/policy-seen" 2>/dev/null; exit 100')
		self.assertNotEqual(self.run_script().returncode, 0)
		self.assertFalse(os.path.exists(self.policy))

	def test_a_policy_that_is_there_is_kept(self):
		with open(self.policy, "w") as out:
			out.write("theirs")
		self.assertEqual(self.run_script().returncode, 0)
		with open(self.policy) as kept, open(os.path.join(self.folder, "policy-seen")) as seen:
			self.assertEqual((kept.read(), seen.read()), ("theirs", "theirs"))

	def test_every_list_counts(self):
		self.list("gamma\n", "more")
		self.assertEqual(self.run_script("alpha beta", ("packages", "more")).returncode, 0)
		self.assertTrue(self.called()[-1].endswith(" gamma"))

	def test_make_begins_with_the_packages_on_a_machine_that_has_only_make(self):
		self.user(1000)
		for target, last in (("run", "curl"), ("test", "fonts-dejavu-core")):
			with self.subTest(target):
				done = subprocess.run(["make", target], cwd=ROOT, capture_output=True, text=True, timeout=60,
				    env={"PATH": self.bin, "INSTALLED": ""})
				self.assertNotEqual(done.returncode, 0)
				self.assertIn("as root: apt-get install --no-install-recommends gcc ", done.stderr)
				self.assertIn(last, done.stderr)


if __name__ == "__main__":
	unittest.main()
