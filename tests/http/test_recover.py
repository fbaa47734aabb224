# SPDX-License-Identifier: MIT
"""Verification, registrations that wait, change of address, and the deliverer's process."""
import os
import re
import time

from harness import PASSWORD, main, over_both, wait_until
from mailbox import MailCase, NEW
from smtp import Smtp
from test_cookies import CookieCase, GATE, csrf_of


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
			self.assertLess(time.monotonic() - begun, 5, "nobody waits for the mail server")
		# the entry of the unknown address goes, the others wait for another try
		self.assertTrue(wait_until(lambda: self.log().count("\n") == 3, 40), self.log())
		for line in (" later kind=verify ", " later kind=reset ", " dropped kind=reset "):
			self.assertIn(line, self.log())
		self.assertNotIn(email, self.log())
		self.assertEqual({name.split(".")[1] for name in self.mailbox.waiting()}, {"01"})

	def test_says_the_same_to_all(self):
		known, locked = self.email(), self.email()
		for email in (known, locked):
			self.register(email)
		self.assertEqual(self.server.command("user", "lock", locked).returncode, 0)
		for url in ("forgot-password", "verify-email"):
			answers = [self.expect(self.post("/auth/" + url, {"email": email}), 200) for email in (known, locked, "nobody@example.org")]
			self.assertEqual(len({answer.body for answer in answers}), 1)
			self.assertEqual(len({tuple(sorted(answer.headers.keys())) for answer in answers}), 1)

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
		self.assertIn(mail.token, self.scanned(mail).text())
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
		self.assertIn('name="password"', self.scanned(mail).text())
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
		self.assertIn(mail.token, self.scanned(mail).text())
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


class ChangeEmailByForm(CookieCase):
	"""Without JavaScript, from the account's page."""
	def test_begins_with_password_and_csrf_value(self):
		email, jar = self.sign_up()
		fields = {"current_password": PASSWORD, "new_email": self.email(), "csrf_token": csrf_of(jar[GATE])}
		for name, value, code in (("csrf_token", "x", "csrf_failed"), ("current_password", "wrong-" + PASSWORD, "invalid_credentials"),
		    ("new_email", "new", "invalid_email"), ("new_email", email, "account_exists"), ("new_email", "", "missing_field")):
			answer = self.form("/auth/change-email", {**fields, name: value}, {GATE: jar[GATE]})
			self.leads_with(answer, "/account", error=code)
		self.leads_with(self.form("/auth/change-email", fields, {GATE: jar[GATE]}), "/account", done="1")
		self.leads_with(self.form("/auth/change-email", fields, {GATE: jar[GATE]}, headers={"Origin": "https://evil.example"}),
		    "/account", error="origin_forbidden")


if __name__ == "__main__":
	main()
