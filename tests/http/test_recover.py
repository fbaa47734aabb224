# SPDX-License-Identifier: MIT
"""Getting back in over real servers: forgot and reset, verification, change of address, and the deliverer."""
import concurrent.futures
import glob
import hashlib
import json
import os
import re
import statistics
import time
import urllib.parse

from harness import Case, PASSWORD, derived_key, main, over_both, sign, wait_until
from mailbox import Mailbox
from smtp import Smtp

NEW = "plum-orbit-kettle-91"


class MailCase(Case):
	settings = {"MAIL_FROM": "noreply@bee.example", "SITE_NAME": "Bee"}

	@classmethod
	def begin(cls):
		cls.mailbox = Mailbox(cls.server.state)

	def forgot(self, email, **more):
		return self.expect(self.post("/auth/forgot-password", {"email": email}, **more), 200)

	def account(self, **more):
		"""(address, tokens) of a new account whose mail about verification is out of the way."""
		email = self.email()
		tokens = self.register(email, **more)
		self.mailbox.to(email)
		return email, tokens

	def asked(self, email, **more):
		self.forgot(email, **more)
		return self.mailbox.to(email)

	def reset(self, password=NEW, **fields):
		return self.post("/auth/reset-password", {"new_password": password, **fields})

	def store_state(self):
		digest = hashlib.sha256()
		for path in sorted(glob.glob(os.path.join(self.server.state, "store", "*"))):
			digest.update(open(path, "rb").read())
		return digest.hexdigest()


@over_both
class Reset(MailCase):
	def test_the_whole_way_back_in(self):
		email, tokens = self.account()
		mail = self.asked(email)
		self.assertTrue(mail.link.startswith(self.server.origin + "/reset-password?token=ey"), mail.link)
		page = self.get(mail.link[len(self.server.origin):])
		self.expect(page, 200)
		self.assertIn("text/html", page.headers["Content-Type"])
		self.assertEqual(page.headers["Referrer-Policy"], "no-referrer")
		self.assertIn(f'name="token" value="{mail.token}"', page.text())
		answer = self.expect(self.reset(token=mail.token), 200)
		self.assertEqual(set(answer.json()), {"message"})
		self.assertEqual(answer.set_cookies(), {})
		self.dead(tokens["access_token"])
		self.refused(self.refresh(tokens["refresh_token"]), 403, "refresh_token_revoked")
		self.refused(self.post("/auth/login", {"email": email, "password": PASSWORD}), 401, "invalid_credentials")
		self.login(email, NEW)
		self.refused(self.reset(token=mail.token), 400, "reset_token_invalid")
		self.assertIn("changed", self.mailbox.to(email, with_link=False).subject)

	def test_a_typed_code_in_place_of_the_link(self):
		email, _ = self.account()
		other, _ = self.account()
		mail = self.asked(email)
		self.refused(self.reset(email=other, code=mail.code), 400, "reset_token_invalid")
		self.refused(self.reset(email=email, code="AAAA-AAAA"), 400, "reset_token_invalid")
		self.expect(self.reset(email=email, code=mail.code.lower().replace("-", " ")), 200)
		self.login(email, NEW)
		self.refused(self.reset(email=email, code=mail.code), 400, "reset_token_invalid")
		self.refused(self.reset(token=mail.token), 400, "reset_token_invalid")

	def test_scanners_spend_nothing_and_change_nothing(self):
		email, _ = self.account()
		mail = self.asked(email)
		before = self.store_state()
		path = mail.link[len(self.server.origin):]
		for _ in range(5):
			self.expect(self.get(path), 200)
			self.expect(self.get("/auth" + path), 200)
		head = self.expect(self.call("HEAD", path), 200)
		self.assertEqual(head.body, b"")
		self.refused(self.post("/auth/reset-password", {"token": mail.token}), 400, "missing_field")
		self.refused(self.reset(password="short", token=mail.token), 422, "weak_password")
		self.assertEqual(self.store_state(), before)
		self.expect(self.reset(token=mail.token), 200)
		self.assertNotEqual(self.store_state(), before)

	def test_a_dead_link_says_so_before_a_password_is_typed(self):
		for token in ("x", "a.b.c", '"><svg/onload=alert(1)>', "a" * 5000):
			page = self.get("/reset-password?token=" + urllib.parse.quote(token))
			self.expect(page, 200)
			self.assertNotIn("onload=alert", page.text())
			self.assertNotIn('name="token"', page.text())
		self.assertIn("/forgot-password", self.get("/reset-password?token=a.b.c").text())

	def test_the_link_is_judged_before_the_strength(self):
		email, _ = self.account()
		mail = self.asked(email)
		self.refused(self.reset(password="short", token="a.b.c"), 400, "reset_token_invalid")
		body = self.refused(self.reset(password="short", token=mail.token), 422, "weak_password")
		self.assertIn("too_short", body["reasons"])
		self.refused(self.reset(password="a" * 1025, token=mail.token), 422, "password_too_long")
		self.expect(self.reset(token=mail.token), 200)

	def test_fields(self):
		for fields, code in (({}, "missing_field"), ({"token": ""}, "missing_field"), ({"token": 1}, "invalid_field"),
		    ({"email": "ann@example.org"}, "missing_field"), ({"code": "AAAAAAAA"}, "missing_field"), ({"token": None}, "invalid_field")):
			self.refused(self.reset(**fields), 400, code, fields)
		self.refused(self.reset(email="ann", code="AAAAAAAA"), 422, "invalid_email")
		self.refused(self.post("/auth/forgot-password", {}), 400, "missing_field")
		self.refused(self.post("/auth/forgot-password", {"email": ["a@b.co"]}), 400, "invalid_field")
		self.refused(self.post("/auth/forgot-password", {"email": "a@b.co\r\nBcc: eve@example.org"}), 422, "invalid_email")

	def test_one_of_many_at_once_wins(self):
		email, _ = self.account()
		mail = self.asked(email)
		with concurrent.futures.ThreadPoolExecutor(8) as pool:
			answers = list(pool.map(lambda n: self.reset(password=f"{NEW}-{n}", token=mail.token), range(8)))
		self.assertEqual(sorted(answer.status for answer in answers), [200] + [400] * 7, [a.body for a in answers])
		winner = next(n for n, answer in enumerate(answers) if answer.status == 200)
		self.login(email, f"{NEW}-{winner}")

	def test_two_links_of_one_second_die_together(self):
		email, _ = self.account()
		first = self.asked(email)
		key = derived_key("reset")
		self.refused(self.reset(token=sign({"sub": "1", "id": "1", "type": "reset", "iat": int(time.time()), "nbf": int(time.time()),
		    "exp": int(time.time()) + 60, "jti": "A" * 22}, key)), 400, "reset_token_invalid", "a key alone makes no link")
		self.expect(self.reset(token=first.token), 200)
		self.mailbox.new()
		second = self.asked(email)
		self.expect(self.reset(password=NEW + "-2", token=second.token), 200)
		self.refused(self.reset(token=first.token), 400, "reset_token_invalid")

	def test_a_link_dies_with_a_change_of_password(self):
		email, tokens = self.account()
		mail = self.asked(email)
		self.expect(self.post("/auth/change-password", {"current_password": PASSWORD, "new_password": NEW},
		    bearer=tokens["access_token"]), 204)
		self.refused(self.reset(token=mail.token), 400, "reset_token_invalid")
		self.login(email, NEW)

	def test_forgot_leaves_the_password_in_force(self):
		email, tokens = self.account()
		self.asked(email)
		self.login(email)
		self.alive(tokens["access_token"])

	def test_the_link_is_never_built_from_the_request(self):
		email, _ = self.account()
		body = json.dumps({"email": email})
		answer = self.server.raw(f"POST /auth/forgot-password HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n"
		    f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
		self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
		mail = self.mailbox.to(email)
		self.assertTrue(mail.link.startswith(self.server.origin + "/"), mail.link)
		self.assertNotIn(b"evil.example", mail.raw)

	def test_nothing_of_the_request_is_in_a_header(self):
		email, _ = self.account()
		plain = self.asked(email)
		self.expect(self.reset(token=plain.token), 200)
		self.mailbox.new()
		odd = self.asked(email, headers={"User-Agent": "x\tBcc: eve@example.org <b>", "Accept-Language": "xx\tBcc: eve@example.org"})
		self.assertEqual(odd.message.keys(), plain.message.keys())
		self.assertEqual((odd.message["To"], odd.message["Cc"], odd.message["Bcc"]), (email, None, None))
		self.assertNotIn(b"eve@", odd.raw)

	def test_the_language_of_the_account(self):
		email = self.email()
		answer = self.post("/auth/register", {"email": email, "password": PASSWORD}, headers={"Accept-Language": "de-AT,de;q=0.9"})
		self.expect(answer, 201)
		self.assertIn("bestätigen", self.mailbox.to(email).subject)
		mail = self.asked(email, headers={"Accept-Language": "es"})
		self.assertIn("Neues Passwort", mail.subject)
		self.assertIn("30 Minuten", mail.text)
		self.assertIn('lang="de"', mail.html)

	def test_a_form_keeps_its_page_while_the_link_is_good(self):
		email, _ = self.account()
		mail = self.asked(email)
		weak = self.post("/auth/reset-password", form={"token": mail.token, "new_password": "short"})
		self.expect(weak, 422)
		self.assertIn("text/html", weak.headers["Content-Type"])
		self.assertIn(f'name="token" value="{mail.token}"', weak.text())
		self.assertNotIn("short", re.sub(r"<[^>]*>", "", weak.text()).split("too short")[0].split())
		empty = self.post("/auth/reset-password", form={"token": mail.token})
		self.expect(empty, 400)
		self.assertIn(mail.token, empty.text())
		done = self.post("/auth/reset-password", form={"token": mail.token, "new_password": NEW})
		self.expect(done, 303)
		self.assertEqual(done.headers["Location"], self.server.origin + "/reset-password?done=1")
		dead = self.post("/auth/reset-password", form={"token": mail.token, "new_password": NEW})
		self.expect(dead, 303)
		self.assertEqual(dead.headers["Location"], self.server.origin + "/reset-password?error=reset_token_invalid")
		self.login(email, NEW)

	def test_forgot_by_form(self):
		email, _ = self.account()
		foreign = self.post("/auth/forgot-password", form={"email": email}, headers={"Origin": "https://evil.example"})
		self.expect(foreign, 303)
		self.assertIn("error=origin_forbidden", foreign.headers["Location"])
		done = self.post("/auth/forgot-password", form={"email": email}, headers={"Origin": self.server.origin})
		self.expect(done, 303)
		self.assertEqual(done.headers["Location"], self.server.origin + "/forgot-password?done=1")
		self.assertIsNotNone(self.mailbox.to(email).token)


class Oracle(MailCase):
	"""What forgot-password answers says nothing about an address."""
	def test_bytes_are_the_same_for_known_unknown_and_locked(self):
		known, _ = self.account()
		locked, _ = self.account()
		done = self.server.command("user", "lock", locked)
		self.assertEqual(done.returncode, 0, done.stderr)
		answers = [self.forgot(address) for address in (known, "nobody@example.org", locked, known)]
		self.assertEqual(len({answer.body for answer in answers}), 1)
		self.assertEqual(len({tuple(sorted(name for name in answer.headers.keys())) for answer in answers}), 1)
		self.mailbox.settle()
		self.assertEqual([mail.to for mail in self.mailbox.new()], [known])

	def test_medians_of_known_and_unknown_are_alike(self):
		known, _ = self.account()
		times = {known: [], "nobody@example.org": []}
		for n in range(90):
			for address in times if n % 2 else reversed(list(times)):
				begun = time.perf_counter()
				self.forgot(address)
				if n >= 10:
					times[address].append(time.perf_counter() - begun)
			self.mailbox.settle()
		ratio = statistics.median(times[known]) / statistics.median(times["nobody@example.org"])
		self.assertTrue(0.8 < ratio < 1.25, ratio)

	def test_a_full_spool_is_503_for_all(self):
		known, _ = self.account()
		self.mailbox.settle()
		far = int(time.time()) + 3600
		names = [os.path.join(self.mailbox.spool, "%012d.01.%012d.%016x" % (far, far - 3600, n)) for n in range(10000)]
		for name in names:
			os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
		try:
			for address in (known, "nobody@example.org"):
				self.refused(self.post("/auth/forgot-password", {"email": address}), 503, "store_unavailable")
		finally:
			for name in names:
				os.unlink(name)
		self.asked(known)


class DeadServer(MailCase):
	"""A mail server that accepts and never says a word."""
	@classmethod
	def prepare(cls):
		cls.smtp = Smtp(silent=True)
		cls.addClassCleanup(cls.smtp.stop)
		cls.server.settings.update(MAIL_TRANSPORT="smtp", SMTP_HOST="127.0.0.1", SMTP_PORT=str(cls.smtp.port))

	def test_neither_delays_an_answer_nor_loses_a_request(self):
		email = self.email()
		self.register(email)
		for address in (email, "nobody@example.org"):
			begun = time.monotonic()
			self.forgot(address)
			self.assertLess(time.monotonic() - begun, 1)
		# the entry of the unknown address goes, the others wait for another try
		self.assertTrue(wait_until(lambda: self.log().count("\n") == 3, 40), self.log())
		for line in (" later kind=verify ", " later kind=reset ", " dropped kind=reset "):
			self.assertIn(line, self.log())
		self.assertNotIn(email, self.log())
		self.assertEqual({name.split(".")[1] for name in self.mailbox.waiting()}, {"01"})

	def log(self):
		path = os.path.join(self.server.state, "mail.log")
		return open(path).read() if os.path.exists(path) else ""


class Deliverer(MailCase):
	"""What a program in sendmail's place sees of the process that started it."""
	@classmethod
	def prepare(cls):
		script = os.path.join(cls.server.directory, "sendmail")
		with open(script, "w") as out:
			out.write(f"""#!/bin/sh
exec >{cls.server.directory}/seen.new 2>&1
echo "argv $*"
echo "parent $PPID"
tr '\\0' '\\n' </proc/$PPID/environ | sed 's/^/parentenv /'
env | sort | sed 's/^/env /'
for fd in /proc/$PPID/fd/*; do echo "fd ${{fd##*/}} $(readlink $fd)"; done
grep '^Max core' /proc/$PPID/limits
echo "grandparent $(cut -d' ' -f4 /proc/$PPID/stat)"
cat
mv {cls.server.directory}/seen.new {cls.server.directory}/seen
""")
		os.chmod(script, 0o700)
		cls.server.settings.update(MAIL_TRANSPORT="sendmail", SENDMAIL=script)

	def test_is_detached_and_poor(self):
		email = self.email()
		self.register(email)
		path = os.path.join(self.server.directory, "seen")
		self.assertTrue(wait_until(lambda: os.path.exists(path)))
		seen = open(path).read()
		self.assertIn(f"argv -i -f noreply@bee.example -- {email}\n", seen)
		names = {line.split(" ", 1)[1].split("=")[0] for line in seen.splitlines() if line.startswith("env ")}
		self.assertEqual(names - {"PWD", "SHLVL", "_", "OLDPWD"}, {"PATH", "LANG"})
		descriptors = dict(line.split(" ", 2)[1:] for line in seen.splitlines() if line.startswith("fd "))
		if descriptors:		# not to be seen where the process is guarded against its own owner
			self.assertEqual([descriptors[n] for n in "012"], ["/dev/null"] * 3)
			self.assertFalse([target for target in descriptors.values() if target.startswith("socket:")], descriptors)
		self.assertRegex(seen, r"Max core file size +0 +0 ")
		parent = int(re.search(r"^parent (\d+)$", seen, re.M)[1])
		self.assertTrue(wait_until(lambda: not os.path.exists(f"/proc/{parent}")), "it ends")
		self.assertNotIn(int(re.search(r"^grandparent (\d+)$", seen, re.M)[1]), self.server.children("register"))


@over_both
class Verify(MailCase):
	def verified(self, tokens):
		return self.me(tokens["access_token"]).json()["email_verified"]

	def registered(self):
		email = self.email()
		tokens = self.register(email)
		return email, tokens, self.mailbox.to(email)

	def test_by_link_and_form(self):
		email, tokens, mail = self.registered()
		self.assertFalse(self.verified(tokens))
		path = mail.link[len(self.server.origin):]
		self.assertTrue(path.startswith("/verify-email?token="))
		for _ in range(3):
			self.assertIn(mail.token, self.expect(self.get(path), 200).text())
		self.assertFalse(self.verified(tokens))
		done = self.expect(self.post("/auth/verify-email", form={"token": mail.token}), 303)
		self.assertEqual(done.headers["Location"], self.server.origin + "/verify-email?done=1")
		self.assertTrue(self.verified(tokens))
		self.refused(self.post("/auth/verify-email", {"token": mail.token}), 400, "reset_token_invalid")

	def test_by_code(self):
		email, tokens, mail = self.registered()
		self.refused(self.post("/auth/verify-email", {"email": email, "code": "AAAAAAAA"}), 400, "reset_token_invalid")
		self.expect(self.post("/auth/verify-email", {"email": email, "code": mail.code}), 200)
		self.assertTrue(self.verified(tokens))

	def test_no_purpose_takes_anothers_token(self):
		email, tokens, mail = self.registered()
		reset = self.asked(email)
		self.refused(self.reset(token=mail.token), 400, "reset_token_invalid")
		self.refused(self.post("/auth/verify-email", {"token": reset.token}), 400, "reset_token_invalid")
		self.refused(self.post("/auth/change-email", {"token": reset.token}), 400, "reset_token_invalid")
		for token in (tokens["access_token"], tokens["refresh_token"]):
			self.refused(self.reset(token=token), 400, "reset_token_invalid")
			self.refused(self.me(mail.token), 401, "token_invalid")
		self.expect(self.post("/auth/verify-email", {"token": mail.token}), 200)

	def test_sends_again_with_the_same_answer_for_all(self):
		email, _, _ = self.registered()
		answers = [self.expect(self.post("/auth/verify-email", {"email": address}), 200) for address in (email, "nobody@example.org")]
		self.assertEqual(answers[0].body, answers[1].body)
		self.refused(self.post("/auth/verify-email", {"email": "nobody"}), 422, "invalid_email")
		self.refused(self.post("/auth/verify-email", {}), 400, "missing_field")


@over_both
class Pending(MailCase):
	settings = {**MailCase.settings, "REGISTRATION": "verify"}

	def waits(self, email, **more):
		answer = self.expect(self.post("/auth/register", {"email": email, "password": PASSWORD, **more}), 202)
		self.assertEqual(set(answer.json()), {"message"})
		return answer

	def test_activates_with_the_password_chosen_then(self):
		email = self.email()
		self.waits(email)
		mail = self.mailbox.to(email)
		self.assertIsNone(mail.code)
		self.refused(self.post("/auth/login", {"email": email, "password": PASSWORD}), 401, "invalid_credentials")
		self.assertIn('name="password"', self.get(mail.link[len(self.server.origin):]).text())
		self.refused(self.post("/auth/verify-email", {"token": mail.token}), 400, "missing_field")
		self.refused(self.post("/auth/verify-email", {"token": mail.token, "password": NEW}), 401, "invalid_credentials")
		page = self.expect(self.post("/auth/verify-email", form={"token": mail.token, "password": NEW}), 401)
		self.assertIn(mail.token, page.text())
		self.expect(self.post("/auth/verify-email", {"token": mail.token, "password": PASSWORD}), 200)
		self.assertTrue(self.login(email)["user"]["email_verified"])
		self.refused(self.post("/auth/verify-email", {"token": mail.token, "password": PASSWORD}), 400, "reset_token_invalid")

	def test_a_taken_address_gets_the_same_answer_and_its_owner_a_notice(self):
		taken, free = self.email(), self.email()
		self.waits(taken)
		self.expect(self.post("/auth/verify-email", {"token": self.mailbox.to(taken).token, "password": PASSWORD}), 200)
		first, second = self.waits(taken), self.waits(free)
		self.assertEqual(first.body, second.body)
		mails = {mail.to: mail for mail in self.mailbox.new()}
		self.assertIsNone(mails[taken].token)
		self.assertIn("already", mails[taken].text)
		self.assertIsNotNone(mails[free].token)
		self.login(taken)


@over_both
class ChangeEmail(MailCase):
	def begin_change(self, tokens, new_email, password=PASSWORD):
		return self.post("/auth/change-email", {"current_password": password, "new_email": new_email}, bearer=tokens["access_token"])

	def test_confirms_the_new_address_and_tells_the_old(self):
		email, tokens = self.account()
		new = self.email()
		self.refused(self.begin_change(tokens, new, "wrong-" + PASSWORD), 401, "invalid_credentials")
		self.expect(self.begin_change(tokens, new), 202)
		mails = {mail.to: mail for mail in self.mailbox.new()}
		self.assertIsNone(mails[email].token, "the notice")
		mail = mails[new]
		self.assertIn(new, mail.text)
		self.assertIn(mail.token, self.expect(self.get(mail.link[len(self.server.origin):]), 200).text())
		self.assertEqual(self.me(tokens["access_token"]).json()["email"], email)
		self.expect(self.post("/auth/change-email", {"token": mail.token}), 200)
		me = self.me(tokens["access_token"]).json()
		self.assertEqual((me["email"], me["email_verified"]), (new, True))
		self.login(new)
		self.refused(self.post("/auth/login", {"email": email, "password": PASSWORD}), 401, "invalid_credentials")
		self.refused(self.post("/auth/change-email", {"token": mail.token}), 400, "reset_token_invalid")

	def test_is_refused_where_the_address_was_taken_meanwhile(self):
		email, tokens = self.account()
		new = self.email()
		self.expect(self.begin_change(tokens, new), 202)
		mail = self.mailbox.to(new)
		self.register(new)
		page = self.expect(self.post("/auth/change-email", form={"token": mail.token}), 409)
		self.assertIn("text/html", page.headers["Content-Type"])
		self.refused(self.post("/auth/change-email", {"token": mail.token}), 409, "account_exists")
		self.assertEqual(self.me(tokens["access_token"]).json()["email"], email)

	def test_dies_with_a_reset(self):
		email, tokens = self.account()
		new = self.email()
		self.expect(self.begin_change(tokens, new), 202)
		mail = self.mailbox.to(new)
		reset = self.asked(email)
		self.expect(self.reset(token=reset.token), 200)
		self.refused(self.post("/auth/change-email", {"token": mail.token}), 400, "reset_token_invalid")

	def test_a_form_of_the_link_answers_with_its_own_page(self):
		email, tokens = self.account()
		new = self.email()
		self.expect(self.begin_change(tokens, new), 202)
		mail = self.mailbox.to(new)
		done = self.expect(self.post("/auth/change-email", form={"token": mail.token}), 303)
		self.assertEqual(done.headers["Location"], self.server.origin + "/change-email?done=1")
		dead = self.expect(self.post("/auth/change-email", form={"token": mail.token}), 303)
		self.assertEqual(dead.headers["Location"], self.server.origin + "/change-email?error=reset_token_invalid")
		self.assertIn("text/html", self.get("/change-email?token=a.b.c").headers["Content-Type"])

	def test_needs_somebody_signed_in_to_begin(self):
		self.refused(self.post("/auth/change-email", {"current_password": PASSWORD, "new_email": self.email()}), 401, "token_missing")
		_, tokens = self.account()
		self.refused(self.post("/auth/change-email", {"new_email": self.email()}, bearer=tokens["access_token"]), 400, "missing_field")
		self.refused(self.begin_change(tokens, "new"), 422, "invalid_email")
		self.expect(self.begin_change(tokens, self.email()), 202)


if __name__ == "__main__":
	main()
