# SPDX-License-Identifier: MIT
"""Mail by a mail server as distributions have it: Exim, with its own ideas of TLS, logins, refusals and line ends."""
import os
import shutil
import tempfile
import time
import unittest

import exim
from harness import Case, main
from mailbox import NEW, Mail
from outgoing import REFUSED, TEMPORARY, MailCase, parse
from smtp import make_certificates

REASON = "no Exim here: another mail server holds its place"
ONCE = ("Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type")


def readable(folder):
	"""For Exim's own user."""
	os.chmod(folder, 0o755)
	for name in os.listdir(folder):
		os.chmod(os.path.join(folder, name), 0o644)


class Real(MailCase):
	tls_too = False

	@classmethod
	def setUpClass(cls):
		if exim.find() is None:
			raise unittest.SkipTest(REASON)
		super().setUpClass()
		readable(cls.certificates)

	def setUp(self):
		super().setUp()
		folder = tempfile.mkdtemp(prefix="gb")
		self.addCleanup(shutil.rmtree, folder)
		self.server = exim.Exim(folder, self.certificates, self.tls_too)
		self.addCleanup(self.server.stop)
		self.settings.update(MAIL_TRANSPORT="smtp", SMTP_HOST="127.0.0.1", SMTP_PORT="465" if self.tls_too else str(self.server.port))
		self.trust_our_ca()

	def arrived(self, count=1):
		messages = self.server.messages(count)
		self.assertEqual(len(messages), count, self.server.log())
		return messages[-1]

	def refused(self, words, code=TEMPORARY, to="ann@example.org"):
		said = self.send(to, code)
		self.assertEqual((said["sent"], said["permanent"]), (False, code == REFUSED))
		self.assertIn(words, said["said"])
		self.assertNotIn(" <= ", self.server.log())
		return said["said"]


class ByExim(Real):
	def parts(self, data):
		message = parse(data)
		self.assertEqual(message.get_content_type(), "multipart/alternative")
		return [message.get_body((kind,)).get_content() for kind in ("plain", "html")]

	def test_stores_what_was_written(self):
		"""Every byte of both parts, with umlauts, lines that begin with a dot, and an apostrophe in the address."""
		self.settings.update(SITE_NAME=".Bienenst\u00f6cke & S\u00f6hne", FRONTEND_URL="https://bee.example/" + "hive-" * 30)
		now = int(time.time())
		self.spool("notice-email", "o'neil@example.org", "de", now)
		self.assertEqual(self.flush(), (1, 0))
		stored = self.arrived()
		self.spool("notice-email", "o'neil@example.org", "de", now)
		self.settings["MAIL_TRANSPORT"] = "file"
		self.assertEqual(self.flush(), (1, 0))
		folder = os.path.join(self.state, "mail")
		with open(os.path.join(folder, os.listdir(folder)[0]), "rb") as written:
			self.assertEqual(self.parts(stored), self.parts(written.read().replace(b"\r\n", b"\n")))
		text = self.parts(stored)[0]
		self.assertRegex(text, "(?m)^\\.Bienenst\u00f6cke & S\u00f6hne ")
		self.assertRegex(text, "(?m)^https://bee\\.example/(hive-){30}/forgot-password$")
		message = parse(stored)
		self.assertEqual([len(message.get_all(name, [])) for name in ONCE], [1] * len(ONCE))
		self.assertEqual((message["Envelope-to"], message["To"], message["Return-path"]),
		    ("o'neil@example.org", "o'neil@example.org", "<noreply@bee.example>"))
		self.assertIn(".Bienenst\u00f6cke & S\u00f6hne", message["Subject"])
		self.assertRegex(stored, rb"(?m)^Subject: =\?UTF-8\?B\?")
		self.assertLess(max(map(len, stored.split(b"\n"))), 998)
		self.assertTrue(stored.isascii())

	def test_signs_in_within_tls(self):
		self.server.switch("members")
		self.refused("5.7.0 members only", REFUSED)
		self.settings.update(SMTP_USER="bee", SMTP_PASSWORD="wax")
		said = self.refused("535 Incorrect authentication data")
		self.assertNotIn("wax", said)
		self.settings["SMTP_PASSWORD"] = "honey"
		self.assertTrue(self.send()["sent"])
		message = parse(self.arrived())
		self.assertEqual((message["X-Login"], message["X-TLS"]), ("bee", "esmtpsa"))

	def test_sends_nothing_unless_tls_is_offered(self):
		self.server.switch("plain")
		self.refused("STARTTLS")
		self.server.switch("plain", False)
		self.send()
		self.assertEqual(parse(self.arrived())["X-TLS"], "esmtps")

	def test_sends_nothing_to_a_server_of_another_name(self):
		self.server.switch("other-name")
		self.refused("127.0.0.1")
		self.server.switch("other-name", False)
		self.send()
		self.arrived()

	def test_sends_nothing_to_a_server_of_an_unknown_authority(self):
		os.unlink(os.path.join(self.state, "smtp-ca.pem"))
		self.refused("certificate")
		self.trust_our_ca()
		self.send()
		self.arrived()

	def test_says_what_it_said(self):
		self.refused("550 5.1.1 no such user nobody@example.org", REFUSED, "nobody@example.org")
		for switch, words, code in (("later", "451 4.7.1 greylisted, try later", TEMPORARY), ("full", "451 4.3.1 disk full", TEMPORARY),
		    ("spam", "550 5.7.1 looks like spam", REFUSED)):
			with self.subTest(switch):
				self.server.switch(switch)
				self.refused(words, code)
				self.server.switch(switch, False)
		self.send()
		self.arrived()

	def test_takes_at_a_retry_what_it_put_off(self):
		self.server.switch("later")
		self.spool()
		self.assertEqual(self.flush(), (0, 1))
		self.assertIn("451 4.7.1 greylisted", self.command("mail", "list", "--json").stdout)
		self.server.switch("later", False)
		self.assertEqual(self.flush(), (1, 0))
		self.arrived()

	def test_is_not_asked_twice_for_what_it_refused(self):
		self.spool(to="nobody@example.org")
		self.assertEqual(self.flush(), (0, 0))
		self.assertRegex(self.command("mail", "log").stdout, "Z dropped .*550 5.1.1 no such user")
		self.spool()
		self.assertEqual(self.flush(), (1, 0))
		self.arrived()

	def test_gets_it_later_when_it_is_too_slow(self):
		self.server.switch("slow")
		self.spool()
		begun = time.monotonic()
		self.assertEqual(self.flush(), (0, 1))
		self.assertLess(time.monotonic() - begun, 15)
		self.server.switch("slow", False)
		self.assertEqual(self.flush(), (1, 0))
		self.arrived()

	def test_gets_it_once_it_lives_again(self):
		self.server.stop()
		self.spool()
		begun = time.monotonic()
		self.assertEqual(self.flush(), (0, 1))
		self.assertIn("onnect", self.command("mail", "list", "--json").stdout)
		self.assertLess(time.monotonic() - begun, 10)
		self.server.start()
		self.assertEqual(self.flush(), (1, 0))
		self.arrived()

	def test_is_a_sendmail_too(self):
		"""Its program takes the arguments that are promised, without a daemon."""
		self.server.stop()
		script = os.path.join(self.directory, "sendmail")
		with open(script, "w") as out:
			out.write(f'#!/bin/sh\nexec {exim.find()} -C {self.server.path} "$@"\n')
		os.chmod(script, 0o700)
		self.settings.update(MAIL_TRANSPORT="sendmail", SENDMAIL=script, SITE_NAME=".Bee")
		self.spool("notice-email", "o'neil@example.org", "de")
		self.assertEqual(self.flush(), (1, 0))
		message = parse(self.arrived())
		self.assertEqual((message["Envelope-to"], message["Return-path"]), ("o'neil@example.org", "<noreply@bee.example>"))
		self.assertRegex(message.get_body(("plain",)).get_content(), "(?m)^\\.Bee \u00e4ndern")
		with open(self.server.path, "a") as out:
			out.write("begin nonsense\n")
		self.assertIn("sendmail ended with 1: ", self.send(code=TEMPORARY)["said"])


class Port465(Real):
	tls_too = True

	def setUp(self):
		try:
			super().setUp()
		except RuntimeError as error:
			self.skipTest(f"port 465 cannot be bound here: {error}")

	def test_speaks_tls_from_the_first_byte(self):
		self.send()
		self.assertEqual(parse(self.arrived())["X-TLS"], "esmtps")
		self.assertIn("[127.0.0.1]:465", self.server.log())


class Whole(Case):
	"""From the request to the new password, by way of a real mailbox."""
	settings = {"MAIL_FROM": "noreply@bee.example", "SITE_NAME": "Bee", "MAIL_TRANSPORT": "smtp", "SMTP_HOST": "127.0.0.1"}

	@classmethod
	def setUpClass(cls):
		if exim.find() is None:
			raise unittest.SkipTest(REASON)
		super().setUpClass()

	@classmethod
	def prepare(cls):
		certificates = os.path.join(cls.server.directory, "certificates")
		os.mkdir(certificates)
		make_certificates(certificates)
		os.chmod(cls.server.directory, 0o755)
		readable(certificates)
		shutil.copy(os.path.join(certificates, "ca.pem"), os.path.join(cls.server.state, "smtp-ca.pem"))
		cls.mail = exim.Exim(os.path.join(cls.server.directory, "exim"), certificates)
		cls.server.settings["SMTP_PORT"] = str(cls.mail.port)

	@classmethod
	def tearDownClass(cls):
		cls.mail.stop()
		super().tearDownClass()

	def test_a_forgotten_password(self):
		email = self.email()
		self.register(email)
		self.assertEqual(len(self.mail.messages(1)), 1)
		self.expect(self.post("/auth/forgot-password", {"email": email}), 200)
		[letter] = [mail for mail in map(self.parsed, self.mail.messages(2)) if "/reset-password?" in (mail.link or "")]
		self.assertEqual(letter.to, email)
		self.expect(self.post("/auth/reset-password", {"token": letter.token, "new_password": NEW}), 200)
		self.login(email, NEW)

	def parsed(self, data):
		path = os.path.join(self.server.directory, "letter")
		with open(path, "wb") as out:
			out.write(data)
		return Mail(path)


if __name__ == "__main__":
	main()
