# SPDX-License-Identifier: MIT
"""Mail on its way out where a server or a program does what no real one can be brought to (test_exim.py has a real one), and guardbee mail."""
import json
import os
import shutil
import subprocess
import time

from harness import main
from outgoing import COMMAND, REFUSED, TEMPORARY, MailCase, parse
from smtp import Smtp


class SmtpTransport(MailCase):
	def test_sends_by_starttls_with_a_login(self):
		server = self.smtp(login=("bee", "honey"))
		self.settings.update(SMTP_USER="bee", SMTP_PASSWORD="honey")
		self.trust_our_ca()
		self.assertTrue(self.send()["sent"])
		[message] = server.messages
		self.assertEqual((message["from"], message["to"], message["login"], message["tls"]),
		    ("noreply@bee.example", ["ann@example.org"], "bee", True))
		self.assertNotIn(("AUTH", False), server.commands)
		self.assertNotIn(("MAIL", False), server.commands)
		parsed = parse(message["data"])
		self.assertEqual(parsed["To"], "ann@example.org")
		self.assertIn("Bee", parsed["Subject"])
		self.assertIn("reaches this address", parsed.get_body(("plain",)).get_content())
		self.assertNotIn(b"\n", message["data"].replace(b"\r\n", b""))

	def test_sends_nothing_where_tls_is_not_offered(self):
		server = self.smtp(tls="none")
		self.trust_our_ca()
		said = self.send(code=TEMPORARY)
		self.assertFalse(said["permanent"])
		self.assertEqual({word for word, _ in server.commands} - {"EHLO", "HELO", "QUIT"}, set())

	def test_tells_permanent_from_temporary_by_what_the_server_says(self):
		self.trust_our_ca()
		for word, line, code in (("RCPT", "550 5.1.1 no such user", REFUSED), ("RCPT", "451 4.7.1 try later", TEMPORARY),
		    ("MAIL", "553 5.1.8 sender refused", REFUSED), ("MAIL", "421 4.3.0 closing", TEMPORARY),
		    ("DATA", "554 5.7.1 spam", REFUSED), (".", "552 5.3.4 too big", REFUSED), (".", "452 4.3.1 disk full", TEMPORARY)):
			with self.subTest(word=word, line=line):
				self.smtp(replies={word: line})
				said = self.send(code=code)
				self.assertEqual((said["sent"], said["permanent"]), (False, code == REFUSED))
				self.assertIn(line, said["said"])

	def test_gives_up_on_a_silent_server(self):
		self.smtp(silent=True)
		begun = time.monotonic()
		self.send(code=TEMPORARY)
		self.assertLess(time.monotonic() - begun, 15)

	def test_gives_up_on_a_server_that_stalls_or_drips(self):
		"""Wherever in the dialogue: the whole of it has LIMIT seconds, and the entry stays. All at the same time."""
		limit = 30
		self.trust_our_ca()
		running = []
		for more in ({"stalls": "EHLO"}, {"stalls": "RCPT"}, {"stalls": "DATA"}, {"stalls": "."}, {"drips": "MAIL"}, {"drips": "."}):
			server = self.smtp(**more)
			state = os.path.join(self.directory, f"state{len(running)}")
			shutil.copytree(self.state, state)
			folder, self.state = self.state, state
			self.spool()
			self.state = folder
			process = subprocess.Popen([COMMAND, "mail", "flush", "--json"], env={**os.environ, **self.settings, "STATE": state}, stdout=subprocess.PIPE, text=True)
			self.addCleanup(process.stdout.close)
			running.append((more, process, server, state, time.monotonic()))
		for more, process, server, state, begun in running:
			with self.subTest(more):
				self.assertEqual(json.loads(process.communicate(timeout=3 * limit)[0]), {"sent": 0, "left": 1})
				took = time.monotonic() - begun
				self.assertLess(took, limit + 10)
				self.assertEqual(server.messages, [] if "." not in more.values() else server.messages)
				[entry] = json.loads(self.command_at(state, "mail", "list", "--json").stdout)
				self.assertEqual(entry["tries"], 1)
				self.assertRegex(entry["said"], "(?i)time|timed out")

	def command_at(self, state, *arguments):
		return subprocess.run([COMMAND, *arguments], env={**os.environ, **self.settings, "STATE": state}, capture_output=True, text=True, timeout=60)

	def test_says_what_is_missing_without_libcurl(self):
		"""The loader finds a file of that name which is no library; then, without it, the real one."""
		server = self.smtp()
		self.trust_our_ca()
		bogus = os.path.join(self.directory, "lib")
		os.mkdir(bogus)
		with open(os.path.join(bogus, "libcurl.so.4"), "w") as out:
			out.write("no library\n" * 100)
		self.settings["LD_LIBRARY_PATH"] = bogus
		said = self.send(code=TEMPORARY)
		self.assertFalse(said["permanent"])
		self.assertRegex(said["said"], r"^MAIL_TRANSPORT=smtp needs libcurl \(package libcurl4\): .*libcurl\.so\.4")
		self.spool()
		self.assertEqual(json.loads(self.command("mail", "flush", "--json").stdout), {"sent": 0, "left": 1})
		[entry] = json.loads(self.command("mail", "list", "--json").stdout)
		self.assertIn("needs libcurl", entry["said"])
		self.assertEqual(server.commands, [])
		del self.settings["LD_LIBRARY_PATH"]
		self.assertEqual(json.loads(self.command("mail", "flush", "--json").stdout), {"sent": 1, "left": 0})

	def test_refuses_an_address_before_any_connection(self):
		server = self.smtp()
		self.trust_our_ca()
		for bad in ("ann", "ann@example.org\r\nRCPT TO:<eve@example.org>", "-oX@example.org", "a@b.co,c@d.co"):
			self.assertEqual(self.command("mail", "test", bad).returncode, REFUSED, bad)
		self.assertEqual(server.commands, [])
		self.send()


class Queue(MailCase):
	def test_lists_what_waits_with_what_was_said_and_flushes_it(self):
		self.trust_our_ca()
		server = self.smtp(replies={"RCPT": "451 4.7.1 try later"})
		self.spool()
		self.assertEqual(json.loads(self.command("mail", "flush", "--json").stdout), {"sent": 0, "left": 1})
		[entry] = json.loads(self.command("mail", "list", "--json").stdout)
		self.assertEqual((entry["kind"], entry["email"], entry["tries"]), ("notice-password", "ann@example.org", 1))
		self.assertIn("451 4.7.1 try later", entry["said"])
		self.assertGreater(entry["next_at"], entry["created_at"])
		del server.replies["RCPT"]
		self.assertEqual(json.loads(self.command("mail", "flush", "--json").stdout), {"sent": 1, "left": 0})
		self.assertEqual(json.loads(self.command("mail", "list", "--json").stdout), [])
		self.assertEqual(len(server.messages), 1)

	def test_lists_first_what_goes_first(self):
		self.trust_our_ca()
		self.smtp(replies={"RCPT": "451 4.7.1 try later"})
		self.spool()
		self.command("mail", "flush")
		folder = os.path.join(self.state, "spool")
		[name] = [name for name in os.listdir(folder) if not name.startswith(".")]
		_, tries, *rest = name.split(".")
		later = int(time.time()) + 7200
		order = [7, 2, 11, 0, 5, 9, 1, 10, 3, 8, 6, 4]
		for n in order:
			shutil.copy(os.path.join(folder, name), os.path.join(folder, ".".join(["%012d" % (later + n), tries, *rest])))
		os.unlink(os.path.join(folder, name))
		self.assertNotEqual(order, sorted(order))
		listed = [entry["next_at"] for entry in json.loads(self.command("mail", "list", "--json").stdout)]
		self.assertEqual(listed, [later + n for n in range(len(order))])

	def test_shows_a_dropped_entry_in_the_log_without_its_address(self):
		self.trust_our_ca()
		self.smtp(replies={"RCPT": "550 5.1.1 no such user ann@example.org"})
		self.spool()
		self.assertEqual(json.loads(self.command("mail", "flush", "--json").stdout), {"sent": 0, "left": 0})
		log = self.command("mail", "log").stdout
		self.assertRegex(log, r"^\S+Z dropped kind=notice-password to=[0-9a-f]{16} tries=1 smtp://.*550 5\.1\.1 no such user")
		self.assertNotIn("ann@", log)

	def test_goes_on_after_a_message_that_is_refused(self):
		self.trust_our_ca()
		server = self.smtp()
		for to in ("ann@example.org", "bob@example.org", "eve@example.org"):
			self.spool(to=to)
		server.replies["RCPT"] = "550 no"
		self.assertEqual(json.loads(self.command("mail", "flush", "--json").stdout), {"sent": 0, "left": 0})
		server.replies.clear()
		self.spool()
		self.assertEqual(json.loads(self.command("mail", "flush", "--json").stdout), {"sent": 1, "left": 0})


class Msmtp(MailCase):
	"""A real program in sendmail's place."""
	def setUp(self):
		super().setUp()
		self.program = shutil.which("msmtp")
		if self.program is None:
			self.skipTest("msmtp is not installed")
		self.script = os.path.join(self.directory, "sendmail")
		self.settings.update(MAIL_TRANSPORT="sendmail", SENDMAIL=self.script)

	def msmtp(self, server):
		with open(os.path.join(self.directory, "msmtprc"), "w") as out:
			out.write(f"defaults\ntls off\nhost 127.0.0.1\nport {server.port}\naccount default\n")
		os.chmod(out.name, 0o600)
		with open(self.script, "w") as out:
			out.write(f'#!/bin/sh\nexec {self.program} -C {self.directory}/msmtprc "$@"\n')
		os.chmod(self.script, 0o700)

	def test_sends_and_maps_its_exit_codes(self):
		with Smtp(tls="none") as server:
			self.msmtp(server)
			self.send("o'neil@example.org")
			self.assertEqual(server.messages[0]["to"], ["o'neil@example.org"])
			self.assertEqual(parse(server.messages[0]["data"])["To"], "o'neil@example.org")
			server.replies["RCPT"] = "550 no such user"
			self.assertIn("550 no such user", self.send(code=REFUSED)["said"])
			server.replies["RCPT"] = "451 later"
			self.assertIn("451 later", self.send(code=TEMPORARY)["said"])
		self.send(code=TEMPORARY)


if __name__ == "__main__":
	main()
