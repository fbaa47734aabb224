# SPDX-License-Identifier: MIT
"""When our own parts fail: a spool that is full or has half a file in it, a ring that rotates while codes are out, and pages
for people where programs get JSON."""
import json
import os
import re
import time

from harness import PASSWORD, main, wait_until
from mailbox import NEW, MailCase

SPOOL_MAX = 10000
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Spool(MailCase):
	options = {"only": ("register", "login", "me", "forgot-password", "verify-email", "change-password", "change-email", "health")}

	def fill(self, entries):
		"""Entries of tomorrow, so that no deliverer takes them away; empty them afterwards."""
		later, now = int(time.time()) + 90000, int(time.time())
		names = ["%012d.00.%012d.%016x" % (later, now, n) for n in range(entries)]
		for name in names:
			os.close(os.open(os.path.join(self.mailbox.spool, name), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
		self.addCleanup(self.empty, names)
		return names

	def empty(self, names):
		for name in names:
			try:
				os.unlink(os.path.join(self.mailbox.spool, name))
			except FileNotFoundError:
				pass

	def test_full(self):
		email, tokens = self.account()
		names = self.fill(SPOOL_MAX)
		known = self.refused(self.post("/auth/forgot-password", {"email": email}), 503, "store_unavailable")
		self.assertEqual(self.refused(self.post("/auth/forgot-password", {"email": "nobody@example.org"}), 503, "store_unavailable"), known)
		self.refused(self.post("/auth/verify-email", {"email": email}), 503, "store_unavailable")
		self.expect(self.post("/auth/change-password", {"current_password": PASSWORD, "new_password": NEW}, bearer=tokens["access_token"]), 204)
		self.login(email, NEW)
		self.register(self.email())
		health = self.get("/auth/health")
		self.assertEqual((health.status, health.json()["checks"]["mail"]), (503, "failing"))
		self.assertIn("mail: the spool is full (10000 entries)", self.server.logs())
		log = self.server.command("mail", "log").stdout
		self.assertRegex(log, r"(?m)^\S+Z lost kind=notice-password to=[0-9a-f]{16} tries=0 the spool is full \(10000 entries\)$")
		self.assertRegex(log, r"(?m)^\S+Z lost kind=verify ")
		self.assertNotIn("@", log)
		self.assertEqual(self.server.command("mail", "list", "--json").stderr,
		    "guardbee: the spool is full (10000 entries): requests for mail are refused, notices are lost (mail log)\n")
		self.empty(names[:1])
		self.forgot(email)
		self.empty(names)
		self.assertEqual(self.expect(self.get("/auth/health"), 200).json()["checks"]["mail"], "ok")
		self.assertEqual(self.server.command("mail", "list").stderr, "")

	def entry(self, email, created, due):
		"""A request for a link, as a program left it that could not see to it."""
		name = "%012d.00.%012d.%016x" % (due, created, created)
		with open(os.path.join(self.mailbox.spool, name), "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
			json.dump({"kind": "reset", "email": email, "user_id": "", "pending_id": "", "target": "", "language": "en", "device": "", "address": ""}, out)
		self.addCleanup(self.empty, [name])

	def test_whichever_program_passes_by_delivers_what_is_due(self):
		passing = {"login": {"email": "nobody@example.org", "password": PASSWORD}, "register": {"email": "nobody"}, "forgot-password": {},
		    "verify-email": {"token": "x"}, "change-email": {"token": "x"}, "change-password": {}}
		for url, body in passing.items():
			with self.subTest(url):
				email, _ = self.account()
				now = int(time.time())
				self.entry(email, now - 60, now - 5)
				self.assertIn(self.post("/auth/" + url, body).status, (400, 401, 422))
				self.assertIsNotNone(self.mailbox.to(email).token)

	def test_health_tells_of_an_entry_that_waits_too_long(self):
		now = int(time.time())
		self.entry("bee@example.org", now - 3500, now + 3600)
		self.expect(self.get("/auth/health"), 200)
		self.entry("bee@example.org", now - 3700, now + 3600)
		health = self.get("/auth/health")
		self.assertEqual((health.status, health.json()["checks"]["mail"]), (503, "failing"))
		self.assertRegex(self.server.logs(), r"mail: 2 entries wait, the oldest for 37\d\d s")

	def test_what_a_killed_writer_left_is_swept(self):
		email, _ = self.account()
		old, new = (os.path.join(self.mailbox.spool, "." + digit * 16) for digit in "0f")
		for path, age in ((old, 7200), (new, 60)):
			open(path, "w").close()
			os.utime(path, (time.time() - age, time.time() - age))
		self.asked(email)
		self.assertTrue(wait_until(lambda: not os.path.exists(old)))
		self.assertTrue(os.path.exists(new))
		os.unlink(new)


class Ring(MailCase):
	settings = {**MailCase.settings, "JWT_KEYS_DIR": "{d}/keys"}
	options = {"only": ("register", "login", "forgot-password", "reset-password", "verify-email")}

	@classmethod
	def prepare(cls):
		os.mkdir(os.path.join(cls.server.directory, "keys"), 0o700)
		done = cls.server.command("key", "new")
		assert done.returncode == 0, done.stderr

	def test_links_and_codes_live_through_a_rotation(self):
		email, _ = self.account()
		by_code = self.asked(email)
		other, _ = self.account()
		by_link = self.asked(other)
		made = int(time.time())
		self.assertTrue(wait_until(lambda: int(time.time()) > made))
		done = self.server.command("key", "rotate", "--now")
		self.assertEqual(done.returncode, 0, done.stderr)
		kid = lambda: self.login(email)["access_token"].split(".")[0]
		before = by_link.token.split(".")[0]
		self.assertTrue(wait_until(lambda: kid() != before))
		self.refused(self.reset(email=email, code="AAAAAAAA"), 400, "reset_token_invalid")
		self.expect(self.reset(email=email, code=by_code.code), 200)
		self.expect(self.reset(token=by_link.token), 200)
		self.login(email, NEW)
		third, _ = self.account()
		self.expect(self.reset(email=third, code=self.asked(third).code), 200)


class Sorry(MailCase):
	"""The store goes away below programs that run: its folder is renamed, which a new process sees."""
	settings = {**MailCase.settings, "COOKIE_MODE": "on", "SITE_NAME": "Bee & Co"}
	options = {"only": ("page", "login", "reset-password", "verify-email", "change-email", "me"), "processes": 1}

	def test_a_person_gets_a_page(self):
		gate = {"__Host-gb_gate": "A" * 22 + "." + "A" * 22}
		self.server.halt()
		store = os.path.join(self.server.state, "store")
		os.rename(store, store + ".gone") if os.path.exists(store) else None
		with open(store, "w") as out:
			out.write("no directory")
		self.addCleanup(lambda: os.path.isfile(store) and os.unlink(store))
		self.server.start()
		answer = self.get("/account", cookies=gate, headers={**HTML, "Accept-Language": "de"})
		page = self.expect(answer, 503).text()
		self.assertEqual(answer.headers["Content-Type"], "text/html; charset=utf-8")
		self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
		self.assertEqual((answer.headers["Referrer-Policy"], answer.headers["Cache-Control"]), ("no-referrer", "no-store"))
		self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])
		self.assertIn('<html lang="de">', page)
		self.assertIn("Das hat nicht geklappt – Bee &amp; Co</title>", page)
		self.assertRegex(page, 'role="alert"[^>]*><p>[^<]+</p>')
		self.assertEqual(self.call("HEAD", "/account", cookies=gate, headers=HTML).status, 503)
		self.refused(self.get("/account", cookies=gate), 503, "store_unavailable")
		self.refused(self.get("/auth/me", cookies=gate, headers=HTML), 503, "store_unavailable")
		token = "/reset-password?token=" + ".".join(["e30"] * 3)
		self.assertIn("<html", self.get(token, headers=HTML).text())
		self.expect(self.get("/login", headers=HTML), 200)


if __name__ == "__main__":
	main()
