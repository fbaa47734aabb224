# SPDX-License-Identifier: MIT
"""guardbee user import, export and passwd: what is taken, what is refused and why, and that nothing is half done."""
import csv
import io
import json
import os
import resource
import signal
import stat
import subprocess
import time
import unittest

from test_command import GUARDBEE, PASSWORD, UNAVAILABLE, Command

SHA = "{SHA}PNkSNISRUV6ky3XczAWMJ/tqJdA="
APR1 = "$apr1$h.dP23zG$m/7x81qdNpq55ovMLwD3g."
DEAR = "$2b$31$nTw004heVMMXGBOSU9Urxe0u2OsQa1GRmHwjVBnXetoNeIOEZMqqu"

BATCH = 64 // 3		# accounts a commit

BY_MAIL = ' (with an empty hash its owner gets in by "forgot password")'


class People(Command):
	def bring(self, text, *words, code=0):
		"""The report: counts, and {line: why}."""
		done = self.run_it("user", "import", "--json", *words, input=text, code=code)
		report = json.loads(done.stdout)
		report["why"] = {row["line"]: row["why"] for row in report.pop("lines")}
		self.assertEqual(len(report["why"]), report["refused"])
		return report

	def exported(self):
		return {user["email"]: user for user in map(json.loads, self.run_it("user", "export").stdout.splitlines())}


class Import(People):
	def test_htpasswd(self):
		text = f"# people\n\nbee@example.org:{APR1}\r\nWasp:{SHA}\nshadow:{SHA}:19000:0:99999:7:::\n"
		self.assertEqual(self.bring(text, "--domain", "example.net"), {"imported": 3, "present": 0, "refused": 0, "dry_run": False, "why": {}})
		found = self.exported()
		self.assertEqual({email: (user["username"], user["password_hash"], user["email_verified"]) for email, user in found.items()},
		    {"bee@example.org": (None, APR1, True), "wasp@example.net": ("wasp", SHA, True), "shadow@example.net": ("shadow", SHA, True)})

	def test_htpasswd_needs_addresses(self):
		report = self.bring(f"wasp:{SHA}\nbee@example.org:{SHA}\n", code=1)
		self.assertEqual((report["imported"], report["why"]), (1, {1: "the name is no e-mail address (--domain NAME makes name@NAME)"}))

	def test_htpasswd_whose_first_name_has_a_comma(self):
		report = self.bring(f"x,y@example.org:{SHA}\nbee@example.org:{SHA}\n", code=1)
		self.assertEqual((report["imported"], report["why"]), (1, {1: "the e-mail address is missing or not valid"}))

	def test_a_folder_is_no_file(self):
		done = self.run_it("user", "import", self.folder, code=74)
		self.assertEqual(done.stderr, "guardbee: reading failed: Is a directory\n")

	def test_csv(self):
		text = ('\ufeffemail,username,groups,verified,created,language,hash\r\n'
		    f'"bee@example.org",bee,"staff,keepers",no,2019-05-06,es-MX,{SHA}\r\n'
		    f'WASP@example.org,,,,1557126489,xx,"{APR1}"\n')
		self.assertEqual(self.bring(text)["imported"], 2)
		found = self.exported()
		bee, wasp = found["bee@example.org"], found["wasp@example.org"]
		self.assertEqual((bee["username"], bee["groups"], bee["email_verified"], bee["created_at"], bee["language"], bee["password_hash"]),
		    ("bee", ["staff", "keepers"], False, 1557100800, "es", SHA))
		self.assertEqual((wasp["username"], wasp["groups"], wasp["email_verified"], wasp["created_at"], wasp["language"]), (None, [], True, 1557126489, "en"))
		self.assertEqual((bee["password_changed_at"], wasp["password_changed_at"]), (1557100800, 1557126489))

	def test_csv_quotes(self):
		"""As Python's csv module writes and reads them."""
		for group, quoted in (("a", "a"), ("a", '"a"')):
			self.assertEqual(next(csv.reader(io.StringIO(f"{quoted},x"))), [group, "x"])
		head = "email,groups,hash\n"
		good = ('a@example.org,"x",', '"b@example.org",x,""', 'c@example.org,"x,y",')
		self.assertEqual(self.bring(head + "z@example.org,x", code=1)["why"], {2: "fewer cells than columns"})
		self.assertEqual(self.bring(head + "z@example.org,x,,", code=1)["why"], {2: "more cells than columns"})
		bad = ('d@example.org,"x,', 'e@example.org,"x"y,', 'f@example.org,"x""', 'g@example.org,"', '"h@example.org" ,x,', 'i@example.org,"""",')
		report = self.bring(head + "\n".join(good + bad), code=1)
		self.assertEqual((report["imported"], sorted(report["why"])), (len(good), list(range(5, 5 + len(bad)))))
		self.assertEqual(report["why"][5], "the quotes do not fit")
		self.assertEqual(report["why"][10], "groups: at most 16 names of a-z 0-9 . _ -, 32 bytes each")

	def test_csv_heads(self):
		for head in ("email,passwd", "email,hash,hash", "email,hash,password_hash", "email,username", "username,hash", 'email,"hash', "email,hash,x"):
			with self.subTest(head):
				done = self.run_it("user", "import", input=f"{head}\nbee@example.org,\n", code=1)
				self.assertRegex(done.stderr, "^guardbee: line 1: ")
		self.assertEqual(self.exported(), {})
		self.assertEqual(self.bring("email,hash\nbee@example.org,\n")["imported"], 1)

	def test_json_lines(self):
		user = {"email": "bee@example.org", "username": "bee", "groups": "staff,keepers", "email_verified": False, "created_at": 1557126489,
		    "password_changed_at": "2020-01-02T03:04:05.678Z", "language": "de", "locked": True, "id": "4711", "hash": APR1, "more": {"x": [1]}}
		self.assertEqual(self.bring(json.dumps(user))["imported"], 1)
		self.assertEqual(self.exported()["bee@example.org"], {"id": "4711", "email": "bee@example.org", "email_verified": False, "username": "bee",
		    "groups": ["staff", "keepers"], "language": "de", "locked": True, "created_at": 1557126489, "password_changed_at": 1577934245,
		    "password_hash": APR1})

	def test_each_refusal_names_its_line_and_the_rest_goes_in(self):
		good = {"email": "x@example.org", "hash": None}
		rows = [
			({**good, "email": "a@b"}, "the e-mail address is missing or not valid"),
			({"hash": None}, "the e-mail address is missing or not valid"),
			({**good, "email": "аdmin@example.org"}, "the e-mail address is missing or not valid"),
			({**good, "email": "x@example.org\r\nBcc: y@example.org"}, "the e-mail address is missing or not valid"),
			({"email": "x@example.org"}, 'no password_hash (null: only by "forgot password")'),
			({**good, "username": "9x"}, "the user name is not valid (3 to 32 of a-z 0-9 . _ -, a letter first)"),
			({**good, "groups": ["Staff"]}, "groups: at most 16 names of a-z 0-9 . _ -, 32 bytes each"),
			({**good, "groups": ["g"] * 17}, "groups is of no fit type"),
			({**good, "verified": "perhaps"}, "email_verified is neither true nor false"),
			({**good, "locked": 2}, "locked is neither true nor false"),
			({**good, "created": "yesterday"}, "created_at is no time in the past"),
			({**good, "created": 4102444800}, "created_at is no time in the past"),
			({**good, "created": -1}, "created_at is no time in the past"),
			({**good, "created": "2019-05-06T07:08:09+02:00"}, "created_at is no time in the past"),
			({**good, "id": 0}, "the id is no whole number from 1 to 2^53-1"),
			({**good, "id": "x"}, "the id is no whole number from 1 to 2^53-1"),
			({**good, "verified": True, "email_verified": True}, "a member is there under both its names"),
			({**good, "hash": "x" * 256}, "the hash is longer than 255 bytes"),
			({**good, "hash": DEAR}, "the hash costs too much to check" + BY_MAIL),
			({**good, "hash": SHA[:-1]}, "the hash is not well formed"),
			({**good, "hash": "abJnggxhB/yWI"}, "the hash is of no kind that can be checked" + BY_MAIL),
			({**good, "hash": "$argon2id$v=19$m=4194304,t=1,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODw"}, "the hash costs too much to check" + BY_MAIL),
			({**good, "hash": 5}, "the hash is of no kind that can be checked" + BY_MAIL),
			([good], "not a JSON object"),
		]
		lines = [json.dumps(good | {"email": "first@example.org"})] + [json.dumps(row) for row, _ in rows]
		lines += ["{", '{"email":"x@example.org","hash":null,"hash":null}', "x" * 8193, "a\0b", json.dumps(good | {"email": "last@example.org"})]
		why = {n: text for n, (_, text) in enumerate(rows, 2)}
		n = len(rows) + 2
		why |= {n: "not a JSON object", n + 1: "not a JSON object", n + 2: "longer than 8192 bytes", n + 3: "a NUL byte"}
		report = self.bring("\n".join(lines), code=1)
		self.assertEqual(report["why"], why)
		self.assertEqual(sorted(self.exported()), ["first@example.org", "last@example.org"])

	def test_no_report_shows_a_hash_or_a_password(self):
		secret = "5f4dcc3b5aa765d61d8327deb882cf99"
		for text in (f"bee@example.org:{secret}\n", json.dumps({"email": "x", "hash": secret}), json.dumps({"email": "bee@example.org", "hash": secret}),
		    "{" + secret, f"email,hash\nbee@example.org,{secret}\n", f"email,hash\nbee@example.org,x,{secret}\n"):
			for words in ((), ("--json",)):
				done = self.run_it("user", "import", *words, input=text, code=1)
				self.assertNotIn(secret, done.stdout + done.stderr)
				self.assertIn("1", done.stdout)

	def test_who_is_there_stays_as_he_is(self):
		self.add("bee@example.org", "bee")
		before = self.exported()
		report = self.bring(f"bee@example.org:{SHA}\nwasp@example.org:{SHA}\nWASP@example.org:{APR1}\n")
		self.assertEqual((report["imported"], report["present"]), (1, 2))
		after = self.exported()
		self.assertEqual(after["bee@example.org"], before["bee@example.org"])
		self.assertEqual(after["wasp@example.org"]["password_hash"], SHA)

	def test_names_and_ids_of_others_are_refused(self):
		self.add("bee@example.org", "bee")
		lines = [{"email": "a@example.org", "username": "BEE"}, {"email": "b@example.org", "id": 7}, {"email": "c@example.org", "id": 7},
		    {"email": "d@example.org", "username": "ant"}, {"email": "e@example.org", "username": "Ant"}]
		report = self.bring("\n".join(json.dumps({**line, "hash": None}) for line in lines), code=1)
		self.assertEqual(report["why"], {1: "the user name is another account's", 3: "the id is another account's", 5: "the user name is another account's"})
		self.assertEqual(sorted(self.exported()), ["b@example.org", "bee@example.org", "d@example.org"])

	def test_a_dry_run_changes_nothing(self):
		text = f"bee@example.org:{SHA}\nnobody\n"
		report = self.bring(text, "--dry-run", code=1)
		self.assertEqual((report["imported"], report["refused"], report["dry_run"]), (1, 1, True))
		self.assertEqual(self.exported(), {})
		self.assertEqual(self.bring(text, code=1)["imported"], 1)

	def test_a_dry_run_tells_of_names_that_come_twice(self):
		"""As the real run then does, however far apart they stand."""
		rows = [{"email": "a@example.org", "username": "ant", "id": 7}] + [{"email": f"bee{n}@example.org"} for n in range(70)]
		rows += [{"email": "A@example.org"}, {"email": "b@example.org", "username": "Ant"}, {"email": "c@example.org", "id": 7}, {"email": "c@example.org"}]
		text = "\n".join(json.dumps({**row, "hash": None}) for row in rows)
		would = self.bring(text, "--dry-run", code=1)
		self.assertEqual((would["imported"], would["present"], sorted(would["why"])), (72, 1, [73, 74]))
		self.assertEqual(self.bring(text, code=1), {**would, "dry_run": False})

	def test_many_go_in_and_again_nobody(self):
		text = "".join(f"bee{n}@example.org:{SHA}\n" for n in range(1000))
		self.assertEqual(self.bring(text)["imported"], 1000)
		self.assertEqual(len(self.exported()), 1000)
		report = self.bring(text)
		self.assertEqual((report["imported"], report["present"], report["refused"]), (0, 1000, 0))

	def test_an_interrupted_import_is_run_again(self):
		for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
			lines = [f"bee{number}.{n}@example.org:{SHA}\n" for n in range(300)]
			with self.subTest(number), subprocess.Popen([GUARDBEE, "user", "import"], env=self.environment(), stdin=subprocess.PIPE,
			    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
				running.stdin.write("".join(lines[:200]))
				running.stdin.flush()
				deadline = time.monotonic() + 20
				while len(self.exported()) % 300 < 100 and time.monotonic() < deadline:
					time.sleep(0.02)
				running.send_signal(number)
				told = running.stderr.read()
				counts = running.stdout.read()
				running.stdin.close()
				code = running.wait(20)
			there = len(self.exported()) % 300
			self.assertGreaterEqual(there, 100)
			self.assertLess(there, 300)
			if number == signal.SIGKILL:
				self.assertEqual(code, -9)
			else:
				self.assertEqual(code, 75)
				self.assertRegex(told, r"^guardbee: interrupted after line \d+; run it again, what is there already stays as it is\n$")
				self.assertRegex(counts, rf"^imported +{there}\n")
			report = self.bring("".join(lines))
			self.assertEqual((report["present"], report["imported"]), (there, 300 - there))

	def bring_on_a_full_disk(self, lines, size):
		"""By the limit of a file's size. The report."""
		done = subprocess.run([GUARDBEE, "user", "import", "--json"], env=self.environment(), input=lines, capture_output=True, text=True, timeout=60,
		    restore_signals=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))	# SIGXFSZ stays ignored
		self.assertEqual(done.returncode, UNAVAILABLE, done.stderr)
		self.assertRegex(done.stderr, r"^guardbee: store\.\w+: cannot .* \(File too large\)\n$")
		report = json.loads(done.stdout)
		self.assertEqual((report["present"], report["refused"], report["lines"]), (0, 0, []))
		return report

	@unittest.skipIf("coverage" in GUARDBEE, "on a full disk such a build speaks of its own files too")
	def test_a_store_that_fails_ends_the_import_and_nothing_is_called_imported_that_is_not(self):
		"""The batch that met the failure may have become durable all the same: the next run finds it there."""
		lines = "".join(f"bee{n}@example.org:{SHA}\n" for n in range(2000))
		self.run_it("user", "list")
		self.assertEqual(self.bring_on_a_full_disk("".join(lines.splitlines(True)[:3]), 0)["imported"], 0)
		self.assertEqual(self.exported(), {})
		report = self.bring_on_a_full_disk(lines, 600000)
		there = len(self.exported())
		self.assertTrue(0 < report["imported"] <= there <= report["imported"] + BATCH < 2000, (report, there))
		self.assertEqual(self.bring(lines), {"imported": 2000 - there, "present": there, "refused": 0, "dry_run": False, "why": {}})

	def test_list_shows_everybody_once_over_many_reads(self):
		"""The store is read 64 records at a time."""
		people = {f"bee{n}@example.org" for n in range(5 * 64 + 1)}
		self.bring("".join(f"{email}:{SHA}\n" for email in people))
		listed = [user["email"] for user in self.json("user", "list")]
		self.assertEqual((len(listed), set(listed)), (len(people), people))
		self.assertEqual(len(self.run_it("user", "list").stdout.splitlines()), 1 + len(people))

	def peak_kib(self, lines):
		"""Of memory, for an import of so many lines, all refused, so that the store takes no part in it."""
		path = os.path.join(self.folder, "lines")
		with open(path, "w") as out:
			out.write("x:y\n" * lines)
		with open(path) as text, open(os.devnull, "w") as nowhere:
			running = subprocess.Popen([GUARDBEE, "user", "import", "--dry-run"], env=self.environment(), stdin=text, stdout=nowhere, stderr=nowhere)
			_, status, used = os.wait4(running.pid, 0)
		running.returncode = os.waitstatus_to_exitcode(status)
		self.assertEqual(running.returncode, 1)
		return used.ru_maxrss

	def test_memory_does_not_grow_with_the_file(self):
		self.assertLess(self.peak_kib(400000) - self.peak_kib(4000), 8 << 10)

	def test_progress_on_a_terminal_only(self):
		text = f"bee@example.org:{SHA}\n" * 1200
		self.assertEqual(self.run_it("user", "import", input=text).stderr, "")
		self.assertIn(b"\r1000 lines", self.shown_on_terminal("user", "import", input=text))

	def test_a_file_by_name(self):
		path = os.path.join(self.folder, "people")
		with open(path, "w") as out:
			out.write(f"bee@example.org:{SHA}\n")
		self.assertRegex(self.run_it("user", "import", path).stdout, "^imported +1\n")
		done = self.run_it("user", "import", path + "x", code=66)
		self.assertEqual(done.stderr, f"guardbee: {path}x: No such file or directory\n")


class Export(People):
	def test_import_reads_what_export_wrote(self):
		self.bring("\n".join(json.dumps({"email": f"bee{n}@example.org", "hash": (SHA, APR1, None)[n % 3], "groups": ["a", "b"][:n % 3],
		    "username": f"bee{n}" if n % 2 else None, "locked": n % 5 == 0, "verified": n % 7 != 0, "language": ("en", "es", "de", None)[n % 4],
		    "created": 1500000000 + n}) for n in range(100)))
		self.add("wasp@example.org", "wasp")
		text = self.run_it("user", "export").stdout
		before = self.exported()
		self.settings["STATE"] = self.state = os.path.join(self.folder, "other")
		os.mkdir(self.state, 0o700)
		self.assertEqual(self.bring(text), {"imported": 101, "present": 0, "refused": 0, "dry_run": False, "why": {}})
		self.assertEqual(self.exported(), before)

	def test_a_file_is_new_and_its_owners_alone(self):
		self.add()
		path = os.path.join(self.folder, "out.jsonl")
		old = os.umask(0)
		self.addCleanup(os.umask, old)
		done = self.run_it("user", "export", path)
		self.assertEqual(done.stdout, f"1 accounts, their password hashes among it: {path} is readable by its owner alone\n")
		self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
		with open(path) as file:
			self.assertEqual([json.loads(line)["email"] for line in file], ["bee@example.org"])
		self.refused(f"{path}: File exists", "user", "export", path, code=73)
		os.unlink(path)
		os.symlink("/dev/null", path)
		self.refused(f"{path}: File exists", "user", "export", path, code=73)

	def test_a_full_disk_is_told(self):
		self.add()
		with open("/dev/full", "w") as full:
			done = subprocess.run([GUARDBEE, "user", "export"], env=self.environment(), stdout=full, stderr=subprocess.PIPE, text=True, timeout=30)
		self.assertEqual((done.returncode, done.stderr), (74, "guardbee: standard output: No space left on device\n"))


class Passwd(People):
	def setUp(self):
		super().setUp()
		self.settings["NOTICE_MAILS"] = "off"	# or a deliverer would write into STATE while it is removed

	def test_asks_and_refuses_as_add_does(self):
		self.add()
		before = self.exported()["bee@example.org"]
		self.refused("wasp@example.org: Not found", "user", "passwd", "wasp@example.org", input=PASSWORD)
		self.refused("no password was given", "user", "passwd", "bee@example.org", input="")
		self.refused("bee@example.org: The password is too weak", "user", "passwd", "bee@example.org", input="password1")
		self.refused("The password is too long", "user", "passwd", "bee@example.org", input="x" * 1025)
		self.assertEqual(self.exported()["bee@example.org"], before)
		self.assertRegex(self.run_it("user", "passwd", "bee@example.org", input="velvet-orchard-nine-compasses\n").stdout,
		    r"^bee@example.org \(\d+\): new password, every session ended\n$")
		after = self.exported()["bee@example.org"]
		self.assertNotEqual(after.pop("password_hash"), before.pop("password_hash"))
		self.assertGreaterEqual(after.pop("password_changed_at"), before.pop("password_changed_at"))
		self.assertEqual(after, before)

	def test_tells_the_owner_with_nobody_elses_help(self):
		"""No program runs beside it that would start the deliverer."""
		self.add()
		self.settings["NOTICE_MAILS"] = "on"
		self.run_it("user", "passwd", "bee@example.org", input="velvet-orchard-nine-compasses\n")
		folder, deadline = os.path.join(self.state, "mail"), time.monotonic() + 20
		found = lambda: [name for name in os.listdir(folder) if not name.startswith(".")] if os.path.isdir(folder) else []
		while not found() and time.monotonic() < deadline:
			time.sleep(0.02)
		[name] = found()
		with open(os.path.join(folder, name)) as mail:
			self.assertIn("\nTo: bee@example.org\n", mail.read())
		while subprocess.run([GUARDBEE, "mail", "flush"], env=self.environment(), capture_output=True, timeout=30).returncode == 75:
			time.sleep(0.02)	# until it has ended: it would write into STATE while that is removed

	def test_never_in_argv(self):
		self.run_it("user", "passwd", "bee@example.org", PASSWORD, code=64)


del Command
