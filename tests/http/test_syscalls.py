# SPDX-License-Identifier: MIT
"""What a token makes the kernel do: nothing. strace looks on while verify answers."""
import base64
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

from fastcgi import Worker, is_sanitized, variables
from harness import BUILD, KEY, PASSWORD, SETTINGS, changed, decode, sign, wait_until

# Of a request and its answer on the wire, and the clock; no file, no other socket.
WIRE = {"accept4", "ppoll", "poll", "setsockopt", "setitimer", "read", "write", "shutdown", "close", "rt_sigprocmask", "rt_sigaction",
    "rt_sigreturn", "clock_gettime", "gettimeofday", "time", "restart_syscall"}
# With JWT_KEYS_DIR, whatever the token: has the ring changed?
LOOK_AT_RING = {"newfstatat", "stat", "statx"}


@unittest.skipIf(is_sanitized(), "a sanitizer makes calls of its own, and cannot be traced")
class Case(unittest.TestCase):
	settings = {}
	longMessage = True

	@classmethod
	def setUpClass(cls):
		cls.directory = tempfile.mkdtemp(prefix="gbtrace")
		cls.ring = os.path.join(cls.directory, "ring")
		cls.settings = {"STATE": os.path.join(cls.directory, "state"), **{name: value.replace("{ring}", cls.ring) for name, value in cls.settings.items()}}
		cls.environment = {"PATH": os.environ["PATH"], "FRONTEND_URL": "http://127.0.0.1:8080", **SETTINGS, **cls.settings}
		os.mkdir(cls.settings["STATE"], 0o700)
		cls.prepare()
		cls.login = Worker("login", cls.settings)
		cls.command("user", "add", "bee@example.org", input=PASSWORD + "\n")
		cls.trace = os.path.join(cls.directory, "trace")
		cls.verify = Worker("verify", cls.settings, under=("strace", "-D", "-qq", "-o", cls.trace))
		body = cls.login.post(json.dumps({"email": "bee@example.org", "password": PASSWORD}).encode()).body
		cls.token = json.loads(body)["access_token"]

	@classmethod
	def tearDownClass(cls):
		faults = [fault for worker in (cls.verify, cls.login) for fault in worker.stop()]
		shutil.rmtree(cls.directory)
		if faults:
			raise AssertionError(faults)

	@classmethod
	def prepare(cls):
		"""Before the first program starts."""

	@classmethod
	def command(cls, *arguments, input=""):
		subprocess.run([os.path.join(BUILD, "bin", "guardbee"), *arguments], env=cls.environment, input=input, text=True, check=True,
		    capture_output=True)

	def calls(self):
		"""Lines of the trace so far, once the process waits again."""
		def lines():
			with open(self.trace) as trace:
				return trace.read().splitlines()
		self.assertTrue(wait_until(lambda: lines() and lines()[-1].startswith("ppoll(")))
		return lines()

	def ask(self, token):
		"""(verdict, lines of the trace that this request made)"""
		before = len(self.calls())
		answer = self.verify.ask(variables("GET", HTTP_AUTHORIZATION="Bearer " + token))
		self.assertTrue(wait_until(lambda: any(line.startswith("accept4(") for line in self.calls()[before - 1:])))
		return answer.verdict(), self.calls()[before - 1:]

	def makes_only(self, allowed, token, verdict):
		found, lines = self.ask(token)
		self.assertEqual(found, verdict)
		self.assertTrue(any(line.startswith("accept4(") for line in lines), "the trace shows nothing")
		beyond = [line for line in lines if re.match(r"\w+", line) and re.match(r"\w+", line)[0] not in allowed]
		self.assertEqual(beyond, [])


INVALID, GOOD = (401, "token_invalid"), (204, None)


def part(value):
	return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


class Tricks(Case):
	"""Signed well, so that the header alone is what is wrong."""
	def with_header(self, **members):
		return sign(decode(self.token)[1], KEY, {"alg": "HS256", "typ": "JWT", **members})

	def test_a_good_token_reads_the_store_without_a_system_call(self):
		self.ask(self.token)		# the first request may still map or allocate
		for _ in range(3):
			self.makes_only(WIRE, self.token, GOOD)

	def test_a_key_id_opens_no_file(self):
		for kid in ("../../../../dev/null", "/etc/passwd", "jwt", "jwt.key", "../keys/jwt.key", "private/jwt", "a" * 64, "", "x' OR 1=1 --", "$(id)", "|id",
		    "file:///etc/passwd", "http://127.0.0.1/", "a\0b", "k" * 2000):
			with self.subTest(kid=kid[:30]):
				self.makes_only(WIRE, self.with_header(kid=kid), INVALID)

	def test_no_address_or_key_in_a_header_is_followed(self):
		with socket.create_server(("127.0.0.1", 0)) as listener:
			listener.setblocking(False)
			url = "http://127.0.0.1:%d/jwks.json" % listener.getsockname()[1]
			own = {"kty": "oct", "k": part(KEY.encode()), "alg": "HS256"}
			for members in ({"jku": url}, {"x5u": url}, {"jku": "file:///etc/passwd"}, {"jwk": own}, {"jwk": own, "kid": "a"}, {"x5c": [base64.b64encode(b"0\x03").decode()]},
			    {"x5t": "AAAA"}, {"crit": ["exp"]}, {"crit": ["b64"], "b64": False}, {"crit": []}, {"zip": "DEF"}, {"cty": "JWT"}, {"iss": url}):
				with self.subTest(members=members):
					self.makes_only(WIRE, self.with_header(**members), GOOD if "iss" in members else INVALID)
			with self.assertRaises(BlockingIOError, msg="somebody connected"):
				listener.accept()

	def test_a_bad_signature_reads_no_record(self):
		self.makes_only(WIRE, changed(self.token, "k" * 64), INVALID)


class Ring(Case):
	settings = {"JWT_KEYS_DIR": "{ring}"}

	@classmethod
	def prepare(cls):
		cls.command("key", "new", "alg=HS256")

	def test_a_changed_ring_is_read_and_a_key_id_alone_is_not(self):
		"""The control: a key that is there is opened, by the ring and not by the token."""
		self.ask(self.token)
		kid = decode(self.token)[0]["kid"]
		wait_until(lambda: not any("openat(" in line for line in self.ask(self.token)[1]))	# a directory changed just now is looked at again
		self.makes_only(WIRE | LOOK_AT_RING, self.token, GOOD)
		self.makes_only(WIRE | LOOK_AT_RING, sign(decode(self.token)[1], KEY, {"alg": "HS256", "typ": "JWT", "kid": "../private/" + kid}), INVALID)
		self.command("key", "rotate")
		found, lines = self.ask(self.token)
		self.assertEqual(found, GOOD)
		opened = [line for line in lines if line.startswith("openat(")]
		self.assertTrue(any(f'"{kid}.json"' in line for line in opened), opened)


if __name__ == "__main__":
	unittest.main()
