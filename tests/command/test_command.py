# SPDX-License-Identifier: MIT
"""guardbee, the operator's command: users and settings, exit codes, where passwords come from, as whom it runs."""
import json
import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
GUARDBEE = os.path.join(BUILD, "bin", "guardbee")
PASSWORD = "walnut-harbour-seven-lanterns"
OTHER_USER = 65533
USAGE, UNAVAILABLE, NO_PERMISSION, CONFIG, NO_INPUT = 64, 69, 77, 78, 66


class Command(unittest.TestCase):
	def setUp(self):
		self.folder = tempfile.mkdtemp(prefix="guardbee")
		self.addCleanup(shutil.rmtree, self.folder)
		self.state = os.path.join(self.folder, "state")
		os.mkdir(self.state, 0o700)
		self.settings = {"APP_ENV": "testing", "STATE": self.state, "ARGON2_MEMORY_COST": "7168", "ARGON2_TIME_COST": "1"}

	def environment(self):
		kept = {name: value for name, value in os.environ.items() if name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS")}
		return {**kept, **self.settings}

	def run_it(self, *arguments, code=0, input="", **more):
		done = subprocess.run([GUARDBEE, *arguments], env=self.environment(), input=input, capture_output=True, text=True,
		    timeout=30, **more)
		self.assertEqual(done.returncode, code, done.stdout + done.stderr)
		return done

	def shown_on_terminal(self, *arguments, input=""):
		"""What stands on standard error where that is a terminal."""
		ours, terminal = pty.openpty()
		with subprocess.Popen([GUARDBEE, *arguments], env=self.environment(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=terminal,
		    text=True) as running:
			os.close(terminal)
			running.communicate(input, timeout=30)
		self.assertEqual(running.returncode, 0)
		shown = b""
		while select.select([ours], [], [], 1)[0]:
			try:
				shown += os.read(ours, 1000)
			except OSError:
				break
		os.close(ours)
		return shown

	def json(self, *arguments, **more):
		return json.loads(self.run_it(*arguments, "--json", **more).stdout)

	def refused(self, line, *arguments, code=1, **more):
		done = self.run_it(*arguments, code=code, **more)
		self.assertEqual(done.stderr, f"guardbee: {line}\n")
		self.assertEqual(done.stdout, "")

	def add(self, email="bee@example.org", *more):
		return self.json("user", "add", email, *more, input=PASSWORD + "\n")


class User(Command):
	def test_add_makes_a_verified_account(self):
		user = self.add("Bee@Example.org", "Bee")
		self.assertEqual((user["email"], user["username"], user["email_verified"], user["locked"]), ("bee@example.org", "bee", True, False))
		self.assertEqual(self.json("user", "show", user["id"]), user)
		self.assertIsNone(self.add("wasp@example.org")["username"])

	def test_show_finds_by_address_name_and_id(self):
		user = self.add("bee@example.org", "bee")
		for name in ("bee@example.org", "BEE@example.org", "bee", "BEE", user["id"]):
			with self.subTest(name):
				self.assertEqual(self.json("user", "show", name)["id"], user["id"])
		for name in ("wasp@example.org", "wasp", "123", "@", "a" * 300, "u:" + user["id"]):
			with self.subTest(name):
				self.refused(f"{name}: Not found", "user", "show", name)

	def test_a_name_that_is_too_long_is_nobodys(self):
		"""Neither cut to the name of another nor read past its place."""
		longest = "b" * 32
		self.add("bee@example.org", longest)
		self.add("fly@example.org", "f" * 31)
		self.assertEqual(self.json("user", "show", longest.upper())["email"], "bee@example.org")
		for name in (longest + "b", "f" * 32, longest + "b" * 31, longest * 8, longest * 100, longest * 3000):
			with self.subTest(len=len(name)):
				self.refused(f"{name}: Not found", "user", "show", name)
		self.assertEqual(self.json("user", "show", "f" * 31)["email"], "fly@example.org")

	def test_add_refuses_what_register_refuses(self):
		self.add("bee@example.org", "bee")
		self.refused("bee@example.org: An account with this address or name exists", "user", "add", "bee@example.org", input=PASSWORD)
		self.refused("x@example.org: An account with this address or name exists", "user", "add", "x@example.org", "bee", input=PASSWORD)
		self.refused("bee: The e-mail address is not valid", "user", "add", "bee", input=PASSWORD)
		self.refused("x@example.org: The user name is not valid", "user", "add", "x@example.org", "9", input=PASSWORD)
		self.refused("x@example.org: The password is too weak", "user", "add", "x@example.org", input="password1")
		self.assertEqual([user["email"] for user in self.json("user", "list")], ["bee@example.org"])

	def test_list_shows_everybody_once(self):
		self.assertEqual(self.json("user", "list"), [])
		for number in range(3):
			self.add(f"bee{number}@example.org")
		users = self.json("user", "list")
		self.assertEqual(sorted(user["email"] for user in users), [f"bee{number}@example.org" for number in range(3)])
		table = self.run_it("user", "list").stdout.splitlines()
		self.assertRegex(table[0], r"^ID +EMAIL +USERNAME +VERIFIED +LOCKED +SESSIONS +CREATED AT +GROUPS$")
		self.assertEqual(len(table), 4)
		self.assertRegex(table[1], r"^\d+ +bee\d@example.org +- +yes +no +0 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +-$")

	def test_lock_and_unlock(self):
		self.add()
		self.assertRegex(self.run_it("user", "lock", "bee@example.org").stdout, r"^bee@example.org \(\d+\): locked, every session ended\n$")
		self.assertTrue(self.json("user", "show", "bee@example.org")["locked"])
		self.run_it("user", "unlock", "bee@example.org")
		self.assertFalse(self.json("user", "show", "bee@example.org")["locked"])
		self.refused("wasp: Not found", "user", "lock", "wasp")

	def test_delete(self):
		user = self.add("bee@example.org", "bee")
		self.run_it("user", "delete", "bee")
		for name in ("bee", "bee@example.org", user["id"]):
			self.refused(f"{name}: Not found", "user", "delete", name)
		self.assertEqual(self.json("user", "list"), [])

	def test_set_groups(self):
		self.add()
		self.assertEqual(self.json("user", "set", "bee@example.org", "groups=staff,editors")["groups"], "staff,editors")
		self.assertEqual(self.json("user", "show", "bee@example.org")["groups"], "staff,editors")
		for bad in ("groups=Staff", "groups=a b", "groups=" + "a" * 33, "groups=" + ",".join(f"g{n}" for n in range(17))):
			with self.subTest(bad):
				self.refused(f"{bad}: at most 16 names of [a-z0-9._-], 32 bytes each", "user", "set", "bee@example.org", bad)
		self.refused("email=x@y.org: only groups=a,b can be set", "user", "set", "bee@example.org", "email=x@y.org")
		self.assertEqual(self.json("user", "show", "bee@example.org")["groups"], "staff,editors")
		self.assertEqual(self.json("user", "set", "bee@example.org", "groups=")["groups"], "")


class Password(Command):
	def test_comes_from_standard_input_or_a_descriptor(self):
		self.run_it("user", "add", "a@example.org", input=PASSWORD)
		self.run_it("user", "add", "b@example.org", input=PASSWORD + "\nnot read\n")
		read, write = os.pipe()
		os.write(write, PASSWORD.encode() + b"\n")
		os.close(write)
		self.run_it("user", "add", "c@example.org", "--password-fd", str(read), pass_fds=[read])
		os.close(read)

	def test_is_bounded_and_not_empty(self):
		# "Ab1-" repeated would be weak; length is judged first.
		fits, long = PASSWORD + "x" * (1024 - len(PASSWORD)), PASSWORD + "x" * (1025 - len(PASSWORD))
		self.run_it("user", "add", "a@example.org", input=fits + "\n")
		self.refused("The password is too long", "user", "add", "b@example.org", input=long + "\n")
		self.refused("no password was given", "user", "add", "b@example.org", input="\n")
		self.refused("no password was given", "user", "add", "b@example.org", input="")
		self.refused("no password was given", "user", "add", "b@example.org", input="a\0b" + PASSWORD)

	def test_never_in_argv(self):
		self.run_it("user", "add", "a@example.org", "bee", PASSWORD, code=USAGE, input="")

	def on_terminal(self, *answers):
		"""What the terminal showed, and the exit code."""
		pid, terminal = pty.fork()
		if pid == 0:
			os.execve(GUARDBEE, [GUARDBEE, "user", "add", "a@example.org"], self.environment())
		shown = b""
		waiting = list(answers)
		while True:
			if not select.select([terminal], [], [], 20)[0]:
				break
			try:
				data = os.read(terminal, 1000)
			except OSError:
				break
			shown += data
			if shown.endswith(b": ") and waiting:
				os.write(terminal, waiting.pop(0).encode() + b"\n")
		os.close(terminal)
		return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

	def test_a_terminal_asks_twice_and_does_not_echo(self):
		shown, code = self.on_terminal(PASSWORD, PASSWORD)
		self.assertEqual(code, 0, shown)
		self.assertIn("password: ", shown)
		self.assertNotIn(PASSWORD, shown)
		shown, code = self.on_terminal(PASSWORD, PASSWORD + "x")
		self.assertEqual(code, 1)
		self.assertIn("the passwords differ", shown)


class Usage(Command):
	def test_wrong_words_show_the_usage(self):
		for words in ((), ("user",), ("users",), ("user", "show"), ("user", "show", "a", "b"), ("user", "list", "x"), ("config", "x"),
		    ("user", "list", "--colour"), ("user", "list", "--password-fd", "x"), ("user", "list", "--password-fd", "-1"), ("user", "list", "--env")):
			with self.subTest(words):
				done = self.run_it(*words, code=USAGE)
				self.assertEqual(done.stdout, "")
				self.assertTrue(done.stderr.startswith("usage:\n  guardbee "), done.stderr)
		self.run_it("user", "list")

	def test_help_is_no_error(self):
		text = self.run_it("--help").stdout
		for words in ("user add EMAIL", "user list", "user show", "user lock", "user unlock", "user delete", "user set NAME groups=a,b",
		    "config", "config check"):
			self.assertIn("  guardbee " + words, text)

	def test_words_behind_two_dashes_are_no_options(self):
		self.refused("--json: Not found", "user", "show", "--", "--json")


class Config(Command):
	def test_prints_every_setting_and_no_secret(self):
		self.settings["JWT_KEY"] = "0123456789abcdef0123456789abcdef"
		text = self.run_it("config").stdout
		self.assertNotIn(self.settings["JWT_KEY"], text)
		self.assertRegex(text, r"(?m)^JWT_KEY +set$")
		self.assertRegex(text, r"(?m)^APP_ENV +testing$")
		self.assertRegex(text, r"(?m)^ALGORITHM +HS256  \(default\)$")

	def test_names_an_unfit_setting(self):
		self.settings["EXPIRES_TOKEN_EMAIL"] = "0"
		self.refused("EXPIRES_TOKEN_EMAIL must be a whole number from 1 to 1440, in minutes", "config", code=CONFIG)
		self.settings["EXPIRES_TOKEN_EMAIL"] = "1"
		self.run_it("config")

	def test_demands_a_key_in_production(self):
		self.settings.update(APP_ENV="production", FRONTEND_URL="https://example.org", MAIL_FROM="bee@example.org")
		self.refused("JWT_KEY is required in production", "config", code=CONFIG)
		self.settings["JWT_KEY"] = "7c0e1f5a9b3d4c6e8f1a2b3c4d5e6f708192a3b4c5d6e7f8"
		self.run_it("config", "check")

	def test_check_opens_what_the_programs_open(self):
		self.assertEqual(self.run_it("config", "check").stdout, "the settings are fit; STATE, store and keys open\n")
		self.settings["DATABASE_URL"] = "gdbm:/proc/none"
		done = self.run_it("config", "check", code=UNAVAILABLE)
		self.assertIn("/proc/none", done.stderr)
		self.run_it("config")

	def test_reads_settings_from_a_file(self):
		path = os.path.join(self.folder, "env")
		with open(path, "w") as out:
			out.write("# settings\n\nexport SITE_NAME='Bee Co'\nDEFAULT_LANGUAGE=de\r\n  ALGORITHM=\"HS512\"\n")
		text = self.run_it("config", "--env", path).stdout
		self.assertRegex(text, r"(?m)^SITE_NAME +Bee Co$")
		self.assertRegex(text, r"(?m)^DEFAULT_LANGUAGE +de$")
		self.assertRegex(text, r"(?m)^ALGORITHM +HS512$")
		with open(path, "a") as out:
			out.write("this is no setting\n")
		self.refused(f"{path}: line 6 is not NAME=value", "config", "--env", path, code=CONFIG)
		self.refused("/nonexistent: No such file or directory", "config", "--env", "/nonexistent", code=NO_INPUT)


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class Owner(Command):
	"""What is made in STATE belongs to whom STATE belongs."""
	def setUp(self):
		super().setUp()
		os.chmod(self.folder, 0o711)

	def owners(self):
		return {os.lstat(os.path.join(folder, name)).st_uid for folder, folders, files in os.walk(self.state) for name in folders + files}

	def test_root_becomes_the_owner(self):
		os.chown(self.state, OTHER_USER, OTHER_USER)
		self.add()
		self.assertEqual(self.owners(), {OTHER_USER})

	def test_root_stays_root_in_its_own(self):
		self.add()
		self.assertEqual(self.owners(), {0})

	@unittest.skipIf("coverage" in BUILD, "another user cannot write what such a build counts")
	def test_another_user_is_refused(self):
		done = self.run_it("user", "list", code=NO_PERMISSION, user=OTHER_USER, group=OTHER_USER)
		self.assertEqual(done.stderr, f"guardbee: STATE {self.state} belongs to root: run this as its owner or as root\n")
		os.chown(self.state, OTHER_USER, OTHER_USER)
		self.run_it("user", "list", user=OTHER_USER, group=OTHER_USER)

	def test_root_makes_no_state(self):
		self.settings["STATE"] = os.path.join(self.folder, "none")
		done = self.run_it("user", "list", code=NO_PERMISSION)
		self.assertIn("No such file or directory; make it for the web server's user: install -d -m 700 -o www-data", done.stderr)
		self.assertFalse(os.path.exists(self.settings["STATE"]))
		self.run_it("config")

	def test_a_file_or_a_symlink_is_no_state(self):
		self.settings["STATE"] = os.path.join(self.folder, "link")
		os.symlink(self.state, self.settings["STATE"])
		self.assertRegex(self.run_it("user", "list", code=NO_PERMISSION).stderr, "is not a directory")


if __name__ == "__main__":
	unittest.main()
