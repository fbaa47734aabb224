# SPDX-License-Identifier: MIT
"""The operator's command beside running programs: who was imported signs in with the password he has, and what is
locked, deleted, ended or given a new password is so at the next request."""
import json
import os
import re
import subprocess
import time

from harness import PASSWORD, ROOT, Case, decode, main, slurp, wait_until

OTHER = "velvet-orchard-nine-compasses"
OURS = "$argon2id$v=19$m=7168,t=1,p=1$"


def recorded():
	"""[(who made it, hash)] of tests/vectors/foreign.h: all of one password, which is the harness's."""
	text = slurp(os.path.join(ROOT, "tests", "vectors", "foreign.h")).decode()
	assert f'FOREIGN_PASSWORD "{PASSWORD}"' in text
	return re.findall(r'\{ "([^"]+)",\s+"([^"]+)" \}', text)


def openssl(kind, password):
	return subprocess.run(["openssl", "passwd", kind, "-stdin"], input=password + "\n", capture_output=True, text=True, check=True).stdout.strip()


def werkzeug(method, password):
	code = "import sys, werkzeug.security as w; print(w.generate_password_hash(sys.stdin.read(), sys.argv[1]))"
	return subprocess.run(["/usr/bin/python3", "-W", "ignore", "-c", code, method], input=password, capture_output=True, text=True, check=True).stdout.strip()


class Operator(Case):
	options = {"only": ("login", "register", "me", "refresh", "forgot-password", "reset-password")}

	def command(self, *words, input="", code=0):
		done = self.server.command(*words, input=input)
		self.assertEqual(done.returncode, code, done.stdout + done.stderr)
		return done

	def hashes(self):
		"""{address: stored hash}"""
		users = map(json.loads, self.command("user", "export").stdout.splitlines())
		return {user["email"]: user["password_hash"] for user in users}

	def wrong(self, email, password):
		self.refused(self.post("/auth/login", {"email": email, "password": password}), 401, "invalid_credentials")

	def mails(self, email):
		folder = os.path.join(self.server.state, "mail")
		texts = [slurp(os.path.join(folder, name)).decode() for name in os.listdir(folder) if not name.startswith(".")] if os.path.isdir(folder) else []
		return [text.replace("=\r\n", "").replace("=3D", "=") for text in texts if f"To: {email}" in text]

	def mailed(self, email, word):
		mails = lambda: [text for text in self.mails(email) if word in text]
		self.assertTrue(wait_until(mails), f"no mail with {word}: {self.server.logs()}")
		return mails()[-1]

	def reset_link(self, email):
		self.expect(self.post("/auth/forgot-password", {"email": email}), 200)
		return re.search(r"reset-password\?token=([\w.-]+)", self.mailed(email, "/reset-password?token="))[1]

	def reset(self, token):
		return self.post("/auth/reset-password", {"token": token, "new_password": OTHER + "-again"})


class Import(Operator):
	def sign_in(self, people):
		"""
		people: {address: (password, hash)}, just imported. With the right password only; then, and not before, the hash
		is ours, and the password still the same.
		"""
		for email, (password, _) in people.items():
			with self.subTest(email):
				self.wrong(email, password + "x")
		stored = self.hashes()
		self.assertEqual({email: stored[email] for email in people}, {email: given for email, (_, given) in people.items()})
		for email, (password, given) in people.items():
			with self.subTest(email, hash=given):
				self.login(email, password)
		renewed = self.hashes()
		for email, (password, given) in people.items():
			with self.subTest(email, hash=given):
				self.assertTrue(renewed[email].startswith(OURS), renewed[email])
				self.wrong(email, password + "x")
				self.login(email, password)

	def test_every_kind_signs_in_and_is_renewed(self):
		kinds = recorded()
		self.assertGreater(len(kinds), 25)
		people = {re.sub(r"\W", "-", maker).strip("-") + "@example.org": (PASSWORD, stored) for maker, stored in kinds}
		self.assertEqual(len(people), len(kinds))
		self.command("user", "import", input="\n".join(json.dumps({"email": email, "hash": stored}) for email, (_, stored) in people.items()))
		self.sign_in({email.lower(): person for email, person in people.items()})

	def test_passwords_of_any_bytes(self):
		"""Made just now by openssl and Werkzeug: umlauts, blanks at the ends, and more than one block of MD5 and SHA."""
		passwords = ("Zwölf Boxkämpfer jagen Viktor", " lead and trail ", "z" * 200)
		made = {f"openssl{n}{kind}": (password, openssl(kind, password)) for n, password in enumerate(passwords) for kind in ("-apr1", "-1", "-6")}
		self.command("user", "import", "--domain", "example.net", input="".join(f"{name}:{stored}\n" for name, (_, stored) in made.items()))
		people = {f"{name}@example.net": person for name, person in made.items()}
		others = {f"werkzeug{n}@example.net": (password, werkzeug("pbkdf2:sha256:2000", password)) for n, password in enumerate(passwords)}
		self.command("user", "import", input="email,hash\n" + "".join(f'"{email}",{stored}\n' for email, (_, stored) in others.items()))
		self.sign_in(people | others)

	def test_an_account_without_a_password_has_none(self):
		email = self.email()
		self.command("user", "import", input=f"email,hash\n{email},\n")
		self.wrong(email, PASSWORD)
		self.wrong(email, "x")
		self.command("user", "passwd", email, input=PASSWORD)
		self.login(email)

	def test_what_an_import_brings_is_what_the_programs_say(self):
		email = self.email()
		stored = dict(recorded())["htpasswd -m"]
		self.command("user", "import", input=json.dumps({"email": email, "username": "imported.bee", "groups": ["staff", "keepers"], "id": 4711,
		    "verified": False, "created": "2019-05-06T07:08:09Z", "hash": stored}))
		me = self.me(self.login(email)["access_token"]).json()
		self.assertEqual((me["id"], me["username"], me["groups"], me["email_verified"], me["created_at"]),
		    ("4711", "imported.bee", ["staff", "keepers"], False, 1557126489))

	def test_a_locked_one_stays_out_and_is_not_renewed(self):
		email = self.email()
		stored = dict(recorded())["htpasswd -m"]
		self.command("user", "import", input=json.dumps({"email": email, "locked": True, "hash": stored}))
		self.wrong(email, PASSWORD)
		self.assertEqual(self.hashes()[email], stored)
		self.command("user", "unlock", email)
		self.login(email)

	def test_a_full_round_trip_signs_in(self):
		email = self.email()
		self.register(email)
		line = next(line for line in self.command("user", "export").stdout.splitlines() if email in line)
		self.command("user", "delete", email)
		self.wrong(email, PASSWORD)
		self.command("user", "import", input=line)
		self.login(email)


class Next(Operator):
	"""At the next request, access token or not."""
	def test_lock(self):
		email = self.email()
		tokens = self.register(email)
		self.alive(tokens["access_token"])
		self.command("user", "lock", email)
		self.dead(tokens["access_token"])
		self.refused(self.refresh(tokens["refresh_token"]), 403, "refresh_token_revoked")
		self.wrong(email, PASSWORD)
		self.command("user", "unlock", email)
		self.dead(tokens["access_token"])
		self.login(email)

	def test_delete(self):
		email = self.email()
		tokens = self.register(email)
		self.alive(tokens["access_token"])
		self.command("user", "delete", email)
		self.dead(tokens["access_token"])
		self.refused(self.refresh(tokens["refresh_token"]), 403, "refresh_token_revoked")
		self.wrong(email, PASSWORD)

	def test_passwd(self):
		email = self.email()
		tokens, other = self.register(email), self.login(email)
		self.command("user", "passwd", email, input=OTHER)
		for pair in (tokens, other):
			self.dead(pair["access_token"])
			self.refused(self.refresh(pair["refresh_token"]), 403, "refresh_token_revoked")
		self.wrong(email, PASSWORD)
		self.login(email, OTHER)

	def test_passwd_ends_links_and_tells_the_owner(self):
		email = self.email()
		self.register(email)
		token = self.reset_link(email)
		self.command("user", "passwd", email, input=OTHER)
		self.refused(self.reset(token), 400, "reset_token_invalid")
		self.mailed(email, "was changed")
		self.login(email, OTHER)

	def test_lock_and_delete_end_links(self):
		"""Beside them a third account, to which nothing was done."""
		people = {word: self.email() for word in ("lock", "delete", "show")}
		for email in people.values():
			self.register(email)
		tokens = {word: self.reset_link(email) for word, email in people.items()}
		for word, email in people.items():
			self.command("user", word, email)
		self.command("user", "unlock", people["lock"])
		self.refused(self.reset(tokens["lock"]), 400, "reset_token_invalid")
		self.refused(self.reset(tokens["delete"]), 400, "reset_token_invalid")
		self.expect(self.reset(tokens["show"]), 200)
		self.login(people["lock"])

	def test_a_locked_address_is_answered_like_any_and_gets_no_mail(self):
		locked, unknown = self.email(), self.email()
		self.register(locked)
		self.mailed(locked, "verify-email?token=")
		self.command("user", "lock", locked)
		answers = [self.expect(self.post("/auth/forgot-password", {"email": email}), 200) for email in (locked, unknown)]
		self.assertEqual(answers[0].body, answers[1].body)
		self.assertTrue(wait_until(lambda: not [name for name in os.listdir(os.path.join(self.server.state, "spool")) if name[0] != "."]))
		self.assertEqual([text for text in self.mails(locked) if "reset-password" in text], [])

	def test_session_end(self):
		email = self.email()
		first, second = self.register(email), self.login(email)
		shown = json.loads(self.command("session", "list", email, "--json").stdout)
		own = self.me(first["access_token"]).json()["session_id"]
		self.assertEqual(len(shown), 2)
		self.assertIn(own, [session["id"] for session in shown])
		self.command("session", "end", email, own)
		self.dead(first["access_token"])
		self.alive(second["access_token"])
		self.command("session", "end", email)
		self.dead(second["access_token"])
		self.assertEqual(json.loads(self.command("session", "list", email, "--json").stdout), [])
		self.login(email)

	def test_session_list_shows_each_once_over_many_reads(self):
		"""The store is read 64 records at a time."""
		people = [self.email() for _ in range(5)]
		own = set()
		for email in people:
			tokens = [self.register(email)] + [self.login(email) for _ in range(29)]
			own.update(decode(pair["access_token"])[1]["sid"] for pair in tokens)
		listed = [session["id"] for session in json.loads(self.command("session", "list", "--json").stdout)]
		self.assertEqual(len(own), 150)
		self.assertEqual((len(listed), own - set(listed)), (len(set(listed)), set()))
		self.assertEqual(len(self.command("session", "list").stdout.splitlines()), 1 + len(listed))

	def test_session_list_of_all_and_foreign_ids(self):
		one, two = self.email(), self.email()
		tokens = self.register(one)
		self.register(two)
		own = self.me(tokens["access_token"]).json()["session_id"]
		self.assertIn(own, [session["id"] for session in json.loads(self.command("session", "list", "--json").stdout)])
		spare = own[:-1] + chr(ord(own[-1]) + 1)	# the same 16 bytes, with a bit set that must not be
		for wrong in (own[:-1], "x", own + "A", "A" * 22, spare, own[:-1] + "!", own + "=="):
			self.command("session", "end", one, wrong, code=1)
		done = self.command("session", "end", two, own, code=1)
		self.assertEqual(done.stderr, f"guardbee: {own}: Not found\n")
		self.alive(tokens["access_token"])
		table = self.command("session", "list", one).stdout.splitlines()
		self.assertRegex(table[0], r"^ID +USER ID +CREATED AT +LAST USED AT +ADDRESS +DEVICE$")
		self.assertEqual(len(table), 2)


class Restore(Operator):
	"""A backup is older than what happened since: nobody is signed in by it, and no mailed link works again."""
	def served(self, call):
		"""The answer, once no process is left that had the old store open: each says 503 once."""
		answers = []
		self.assertTrue(wait_until(lambda: answers.append(call()) or answers[-1].status != 503))
		return answers[-1]

	def restored(self, *words):
		"""(address, tokens, mailed reset token) of an account, made before a backup that is the store now."""
		email, later = self.email(), self.email()
		tokens = self.register(email)
		token = self.reset_link(email)
		copy = os.path.join(self.server.directory, "copy" + email)
		self.command("store", "backup", copy)
		self.register(later)
		time.sleep(1)		# the store that was there is named by the second
		self.command("store", "restore", *words, copy)
		answer = self.served(lambda: self.post("/auth/login", {"email": later, "password": PASSWORD}))
		self.refused(answer, 401, "invalid_credentials")
		return email, tokens, token

	def test_ends_sessions_and_links(self):
		email, tokens, token = self.restored()
		self.refused(self.served(lambda: self.me(tokens["access_token"])), 401, "token_revoked")
		self.refused(self.served(lambda: self.refresh(tokens["refresh_token"])), 403, "refresh_token_revoked")
		self.refused(self.served(lambda: self.reset(token)), 400, "reset_token_invalid")
		self.assertEqual(json.loads(self.command("session", "list", email, "--json").stdout), [])
		again = self.expect(self.served(lambda: self.post("/auth/login", {"email": email, "password": PASSWORD})), 200).json()
		self.expect(self.served(lambda: self.me(again["access_token"])), 200)

	def test_keeps_them_if_asked(self):
		_, tokens, token = self.restored("--keep-sessions")
		self.expect(self.served(lambda: self.me(tokens["access_token"])), 200)
		self.expect(self.served(lambda: self.refresh(tokens["refresh_token"])), 200)
		self.expect(self.served(lambda: self.reset(token)), 200)


if __name__ == "__main__":
	main()
