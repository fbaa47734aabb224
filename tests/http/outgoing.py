# SPDX-License-Identifier: MIT
"""What the tests of mail on its way out share: a STATE, settings, certificates and the operator's command."""
import email
import email.policy
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import BUILD, KEY
from smtp import Smtp, make_certificates

COMMAND = os.path.join(BUILD, "bin", "guardbee")
REFUSED, TEMPORARY = 1, 75


def parse(data):
	return email.message_from_bytes(data, policy=email.policy.default)


class MailCase(unittest.TestCase):
	@classmethod
	def setUpClass(cls):
		cls.certificates = tempfile.mkdtemp(prefix="gb")
		make_certificates(cls.certificates)

	@classmethod
	def tearDownClass(cls):
		shutil.rmtree(cls.certificates)

	def setUp(self):
		self.directory = tempfile.mkdtemp(prefix="gb")
		self.state = os.path.join(self.directory, "state")
		os.mkdir(self.state, 0o700)
		self.settings = {"APP_ENV": "testing", "JWT_KEY": KEY, "STATE": self.state, "MAIL_FROM": "noreply@bee.example",
		    "SITE_NAME": "Bee", "PATH": os.environ["PATH"], "RATE_LIMITS": "off"}

	def tearDown(self):
		shutil.rmtree(self.directory)

	def command(self, *arguments, seconds=60):
		return subprocess.run([COMMAND, *arguments], env={**os.environ, **self.settings}, capture_output=True, text=True, timeout=seconds)

	def trust_our_ca(self):
		shutil.copy(os.path.join(self.certificates, "ca.pem"), os.path.join(self.state, "smtp-ca.pem"))

	def certificate(self, name):
		return os.path.join(self.certificates, name + ".pem")

	def smtp(self, certificate="good", **more):
		server = Smtp(certificate and self.certificate(certificate), **more)
		self.addCleanup(server.stop)
		self.settings.update(MAIL_TRANSPORT="smtp", SMTP_HOST="127.0.0.1", SMTP_PORT=str(server.port))
		return server

	def flush(self):
		done = json.loads(self.command("mail", "flush", "--json").stdout)
		return done["sent"], done["left"]

	def send(self, to="ann@example.org", code=0):
		done = self.command("mail", "test", to, "--json")
		self.assertEqual(done.returncode, code, done.stdout + done.stderr)
		return json.loads(done.stdout)

	def spool(self, kind="notice-password", to="ann@example.org", language="en", now=None):
		"""An entry as a request leaves it."""
		folder = os.path.join(self.state, "spool")
		os.makedirs(folder, 0o700, exist_ok=True)
		now = now or int(time.time())
		entry = {"kind": kind, "email": to, "user_id": "", "pending_id": "", "target": "", "language": language, "device": "curl",
		    "address": "127.0.0.1"}
		path = os.path.join(folder, "%012d.00.%012d.%s" % (now, now, os.urandom(8).hex()))
		with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as out:
			json.dump(entry, out)
